package lockredis_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

// counter is a hook that counts the commands of a client.
type counter struct {
	mu   sync.Mutex
	sent []string
}

func (c *counter) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.add(cmd)
		return next(ctx, cmd)
	}
}

func (c *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.add(cmds...)
		return next(ctx, cmds)
	}
}

func (c *counter) add(cmds ...redis.Cmder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cmd := range cmds {
		if name := cmd.Name(); !strings.HasPrefix(name, "client") && name != "hello" {
			c.sent = append(c.sent, name)
		}
	}
}

// take returns what was sent since the last call.
func (c *counter) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := c.sent
	c.sent = nil
	return sent
}

func TestCommands(t *testing.T) {
	server := testenv.Redis(t)
	client := server.Client(t)
	var count counter
	client.AddHook(&count)
	l, other := open(t, client), open(t, server.Client(t))
	release(t, acquire(t, l, "one", lock.Request{})) // loads the scripts
	count.take()
	for range 10 {
		release(t, acquire(t, l, "one", lock.Request{}))
	}
	if sent := count.take(); len(sent) != 20 {
		t.Errorf("10 uncontended pairs sent %v", sent)
	}
	lease := acquire(t, other, "one", lock.Request{TTL: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
	defer cancel()
	for range 8 {
		go func() { _, _ = l.Acquire(ctx, "one", lock.Request{}) }() // ends with ctx
	}
	waiting(t, other, 1)
	count.take()
	<-ctx.Done()
	if sent := count.take(); len(sent) > 3 { // one poll, and the release of the place
		t.Errorf("8 waiters of one process sent %v in 6s", sent)
	}
	release(t, lease)
}

// Nothing is left of a name but its fence, which expires.
func TestKeysExpire(t *testing.T) {
	server := testenv.Redis(t)
	client := server.Client(t)
	a, b := open(t, client), open(t, server.Client(t))
	lease := acquire(t, a, "one", lock.Request{})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _ = b.Acquire(ctx, "one", lock.Request{})
	sem := lock.Semaphore{Locker: a, Name: "one", Permits: 2}
	permit, err := sem.Acquire(t.Context(), lock.Request{})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range client.Keys(t.Context(), "*").Val() {
		if left := client.TTL(t.Context(), key).Val(); left == -1 { // -2: b has just left the queue
			t.Errorf("%s never expires", key)
		}
	}
	release(t, lease)
	release(t, permit)
	eventually(t, "the queue is empty", func() bool {
		return len(client.Keys(t.Context(), "*").Val()) == 2
	})
	for _, key := range client.Keys(t.Context(), "*").Val() {
		if !strings.HasSuffix(key, "fence") {
			t.Errorf("left behind: %s", key)
		}
	}
}

func TestRefusedClients(t *testing.T) {
	if _, err := lockredis.New(nil, lockredis.Options{}); err == nil {
		t.Error("a nil client was accepted")
	}
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}})
	defer ring.Close()
	if _, err := lockredis.New(ring, lockredis.Options{}); err == nil {
		t.Error("a ring was accepted")
	}
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer client.Close()
	for _, o := range []lockredis.Options{
		{Namespace: "a{b}"}, {Engine: 7}, {Options: lock.Options{LocalBatch: 2000}}, {Options: lock.Options{OpTimeout: -1}},
	} {
		if _, err := lockredis.New(client, o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

// A server that refuses publishing and subscribing: waiters poll.
func TestRefusedMessages(t *testing.T) {
	server := testenv.Redis(t)
	admin := server.Client(t)
	err := admin.Do(t.Context(), "ACL", "SETUSER", "quiet", "on", ">secret", "~*", "+@all", "resetchannels").Err()
	if err != nil {
		t.Fatal(err)
	}
	quiet := func(o *redis.Options) { o.Username, o.Password = "quiet", "secret" }
	a, b := open(t, server.Client(t, quiet)), open(t, server.Client(t, quiet))
	lease := acquire(t, a, "one", lock.Request{TTL: time.Minute})
	time.AfterFunc(100*time.Millisecond, func() { _ = lease.Release(context.Background()) })
	began := time.Now()
	release(t, acquire(t, b, "one", lock.Request{TTL: time.Minute}))
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("a poll took %v", took)
	}
}
