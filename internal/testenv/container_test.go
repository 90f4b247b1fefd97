package testenv_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestRedisContainer(t *testing.T) {
	for _, image := range []string{"redis:7", "redis:8", "valkey:8"} {
		t.Run(image, func(t *testing.T) {
			begin := time.Now()
			c := testenv.RedisContainer(t, image)
			t.Logf("started in %v", time.Since(begin))
			if err := c.Client(t).Set(t.Context(), "k", 1, 0).Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRabbitContainer(t *testing.T) {
	begin := time.Now()
	c := testenv.RabbitContainer(t, "rabbitmq:4")
	t.Logf("started in %v", time.Since(begin))
	conn, err := net.Dial("tcp", c.Addr())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestContainerFaults(t *testing.T) {
	c := testenv.RedisContainer(t, "redis:7")
	client := c.Client(t, func(o *redis.Options) { o.MaxRetries = -1 })
	set := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		return client.Set(ctx, "k", 1, 0).Err()
	}
	faults := map[string]struct{ begin, end func(testing.TB) }{
		"pause":      {c.Pause, c.Unpause},
		"disconnect": {c.Disconnect, c.Connect},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			if err := set(); err != nil {
				t.Fatal(err)
			}
			fault.begin(t)
			if err := set(); err == nil {
				t.Error("it answers")
			}
			fault.end(t)
			var err error
			for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
				if err = set(); err == nil {
					return
				}
			}
			t.Errorf("after the fault: %v", err)
		})
	}
}
