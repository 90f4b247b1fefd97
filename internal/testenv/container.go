package testenv

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/redis/go-redis/v9"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// containerLabel marks the containers of tests, for those who clean up.
const containerLabel = "com.github.cohort-go.test"

// A Container is a server in a container of one's own, on a port that it keeps.
type Container struct {
	port   *port
	docker *client.Client
	run    *testcontainers.DockerContainer
}

// RedisContainer starts a container of an image of Redis or Valkey, such as
// "redis:7"; it ends with t. The image must be there: none is pulled.
func RedisContainer(t testing.TB, image string, args ...string) *Container {
	t.Helper()
	return ownContainer(t, func(ctx context.Context) (*Container, error) {
		return newRedisContainer(ctx, image, args...)
	})
}

// RabbitContainer starts a container of an image of RabbitMQ, such as
// "rabbitmq:4"; it ends with t. The image must be there: none is pulled.
func RabbitContainer(t testing.TB, image string) *Container {
	t.Helper()
	return ownContainer(t, func(ctx context.Context) (*Container, error) {
		return newContainer(ctx, image, "5672/tcp", greets)
	})
}

func ownContainer(t testing.TB, start func(ctx context.Context) (*Container, error)) *Container {
	t.Helper()
	c, err := start(t.Context())
	if err != nil {
		unavailable(t, err)
	}
	t.Cleanup(c.stop)
	return c
}

func newRedisContainer(ctx context.Context, image string, args ...string) (*Container, error) {
	args = append([]string{"--save", "", "--appendonly", "no", "--enable-debug-command", "yes"}, args...)
	return newContainer(ctx, image, "6379/tcp", ping, args...)
}

// newContainer runs an image and publishes the port that it serves on.
func newContainer(ctx context.Context, image, serves string, ready func(addr string) error, args ...string) (*Container, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := haveImage(ctx, image); err != nil {
		return nil, err
	}
	docker, err := engine(ctx)
	if err != nil {
		return nil, err
	}
	c := &Container{docker: docker}
	if err := c.start(ctx, image, network.MustParsePort(serves), args); err != nil {
		c.stop()
		return nil, fmt.Errorf("container %s: %w", image, err)
	}
	if err := await(ctx, time.Minute, func(context.Context) error { return ready(c.Addr()) }); err != nil {
		c.stop()
		return nil, fmt.Errorf("container %s: %w", image, err)
	}
	return c, nil
}

func (c *Container) start(ctx context.Context, image string, serves network.Port, args []string) (err error) {
	if c.port, err = reservePort(); err != nil {
		return err
	}
	c.run, err = testcontainers.Run(ctx, image,
		testcontainers.WithCmd(args...),
		testcontainers.WithLabels(map[string]string{containerLabel: "1"}),
		testcontainers.WithExposedPorts(serves.String()),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.PortBindings = network.PortMap{serves: {{
				HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: fmt.Sprint(c.port.number),
			}}}
		}),
		testcontainers.CustomizeRequestOption(func(r *testcontainers.GenericContainerRequest) error {
			r.Logger = log.NewNoopLogger()
			return nil
		}))
	return err
}

// engine returns a client of the Docker engine that answers.
func engine(ctx context.Context) (*client.Client, error) {
	docker, err := client.New(client.FromEnv)
	if err == nil {
		if _, err = docker.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err == nil {
			return docker, nil
		}
		_ = docker.Close()
	}
	return nil, &missingError{2, "Docker engine that answers", "start one, or set DOCKER_HOST"}
}

func (c *Container) stop() {
	if c.run != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = c.run.Terminate(ctx, testcontainers.StopTimeout(0))
	}
	if c.port != nil {
		c.port.release()
	}
	_ = c.docker.Close()
}

// Addr is host and port.
func (c *Container) Addr() string { return c.port.addr() }

// Client returns a client of the Redis in the container, as [Server.Client].
func (c *Container) Client(t testing.TB, change ...func(*redis.Options)) *redis.Client {
	t.Helper()
	return newClient(t, c.Addr(), change...)
}

// Pause stops all that runs in the container; connections stay open.
func (c *Container) Pause(t testing.TB) {
	t.Helper()
	if _, err := c.docker.ContainerPause(t.Context(), c.run.GetContainerID(), client.ContainerPauseOptions{}); err != nil {
		t.Errorf("pause: %v", err)
	}
}

// Unpause lets a paused container go on.
func (c *Container) Unpause(t testing.TB) {
	t.Helper()
	if _, err := c.docker.ContainerUnpause(t.Context(), c.run.GetContainerID(), client.ContainerUnpauseOptions{}); err != nil {
		t.Errorf("unpause: %v", err)
	}
}

// Disconnect takes the container off the network: what is sent to it is lost.
func (c *Container) Disconnect(t testing.TB) {
	t.Helper()
	_, err := c.docker.NetworkDisconnect(t.Context(), "bridge", client.NetworkDisconnectOptions{
		Container: c.run.GetContainerID(), Force: true,
	})
	if err != nil {
		t.Errorf("disconnect: %v", err)
	}
}

// Connect puts a disconnected container back on the network.
func (c *Container) Connect(t testing.TB) {
	t.Helper()
	_, err := c.docker.NetworkConnect(t.Context(), "bridge", client.NetworkConnectOptions{Container: c.run.GetContainerID()})
	if err != nil {
		t.Errorf("connect: %v", err)
	}
}
