package cohort_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/workerid"
)

// onRedis puts every area on the Redis at url.
func onRedis(url string, more ...string) func(string) string {
	return env(append([]string{
		"CLUSTER_MODE", "2", "REDIS_URL", url,
		"CACHE_DEFAULT_STORE", "redis", "LOCK_ADAPTER_DEFAULT", "redis", "QUEUE_ADAPTER", "redis",
	}, more...)...)
}

func open(t *testing.T, opts cohort.Options) *cohort.Node {
	t.Helper()
	n, err := cohort.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return n
}

// use makes every area of n do a little work.
func use(t *testing.T, n *cohort.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := n.IDs().Next(ctx); err != nil {
		t.Errorf("ids: %v", err)
	}
	err := lock.Do(ctx, n.Locker(), "job", lock.Request{}, func(context.Context, *lock.Lease) error { return nil })
	if err != nil {
		t.Errorf("lock: %v", err)
	}
	if err := n.PubSub().Ready(ctx); err != nil {
		t.Errorf("pubsub: %v", err)
	}
	q, err := n.Queue("mail")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Enqueue(ctx, queue.Message{Payload: []byte("hello")}); err != nil {
		t.Errorf("queue: %v", err)
	}
	if _, err := n.Cache("users"); err != nil {
		t.Errorf("cache: %v", err)
	}
}

func TestMemoryNode(t *testing.T) {
	n := open(t, cohort.Options{Getenv: env()})
	use(t, n)
	if !n.Serving("mail") || n.Worker() == nil {
		t.Error("a node without configuration serves everything and has a number")
	}
}

func TestSetUpsOfTheReference(t *testing.T) {
	for name, variables := range map[string]func(url string) []string{
		"five databases": fiveDatabases,
		"one URL":        func(url string) []string { return []string{"REDIS_URL", url + "/0"} },
	} {
		t.Run(name, func(t *testing.T) {
			server := testenv.Redis(t)
			url := strings.TrimSuffix(server.URL(), "/0")
			a := open(t, cohort.Options{Getenv: env(variables(url)...), Fresh: true})
			b := open(t, cohort.Options{Getenv: env(variables(url)...)})
			use(t, a)
			use(t, b)
			if a.Worker().ID() == b.Worker().ID() {
				t.Errorf("both nodes hold number %d", a.Worker().ID())
			}
		})
	}
}

// TestEachRedis: a node works with every kind of server that the module promises.
func TestEachRedis(t *testing.T) {
	testenv.EachRedis(t, func(t *testing.T, client redis.UniversalClient) {
		variables := onRedis("redis://not-used")
		a := open(t, cohort.Options{Getenv: variables, Redis: client, Fresh: true})
		b := open(t, cohort.Options{Getenv: variables, Redis: client})
		use(t, a)
		use(t, b)
		if a.Worker().ID() == b.Worker().ID() {
			t.Errorf("both nodes hold number %d", a.Worker().ID())
		}
	})
}

// TestNothingIsDialledBeforeAllIsRead: three broken variables are one error, and no
// server has heard of the node by then.
func TestNothingIsDialledBeforeAllIsRead(t *testing.T) {
	proxy := testenv.NewProxy(t, testenv.Redis(t).Addr())
	broken := map[string]string{"WORKER_ID_MAX": "many", "QUEUE_ADAPTER": "kafka", "CACHE_REDIS_URL": "redis:/0"}
	variables := onRedis("redis://" + proxy.Addr() + "/0")
	_, err := cohort.Open(t.Context(), cohort.Options{Getenv: func(name string) string {
		if v, ok := broken[name]; ok {
			return v
		}
		return variables(name)
	}})
	for name := range broken {
		if err == nil || !strings.Contains(err.Error(), name+": ") {
			t.Errorf("%v does not name %s", err, name)
		}
	}
	if n := proxy.Accepted(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// TestSharedPool: two areas with one URL share a client, and Close ends it.
func TestSharedPool(t *testing.T) {
	server := testenv.Redis(t)
	observer := server.Client(t)
	connections := func() int {
		list, err := observer.ClientList(t.Context()).Result()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(list, "\n")
	}
	before := connections()
	n, err := cohort.Open(t.Context(), cohort.Options{
		Getenv: env("REDIS_URL", server.URL()+"?pool_size=1", "LOCK_ADAPTER_DEFAULT", "redis", "PUBSUB_ADAPTER", "memory"), Fresh: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	use(t, n)
	if got := connections() - before; got != 1 {
		t.Errorf("worker number and lock have %d connections, want the one of their pool", got)
	}
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "connections end", func() bool { return connections() == before })
}

// eventually waits until condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	eventuallyWithin(t, 30*time.Second, what, condition)
}

func eventuallyWithin(t *testing.T, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for tick := time.NewTicker(5 * time.Millisecond); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

func TestBorrowedClientStaysOpen(t *testing.T) {
	client := testenv.Redis(t).Client(t)
	n, err := cohort.Open(t.Context(), cohort.Options{Getenv: env("LOCK_ADAPTER_DEFAULT", "redis"), Redis: client, Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	use(t, n)
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("the caller's client after Close: %v", err)
	}
}

func TestConfigurationsMustAgree(t *testing.T) {
	server := testenv.Redis(t)
	open(t, cohort.Options{Getenv: onRedis(server.URL()), Fresh: true})
	_, err := cohort.Open(t.Context(), cohort.Options{
		Getenv: env("REDIS_URL", server.URL(), "LOCK_ADAPTER_DEFAULT", "redis", "CACHE_DEFAULT_STORE", "redis"),
	})
	if !errors.Is(err, cohort.ErrConfigMismatch) {
		t.Fatalf("got %v, want ErrConfigMismatch", err)
	}
	if !strings.Contains(err.Error(), "QUEUE_ADAPTER") || strings.Contains(err.Error(), "LOCK_ADAPTER_DEFAULT") {
		t.Errorf("%q does not name exactly QUEUE_ADAPTER", err)
	}
	_, err = cohort.Open(t.Context(), cohort.Options{Getenv: onRedis(server.URL(), "WORKER_ID_MAX", "7")})
	if !errors.Is(err, workerid.ErrConfigMismatch) {
		t.Errorf("another range of worker numbers: %v", err)
	}
}

// TestNoKeyUnderAnotherArea looks at the keys that all areas leave.
func TestNoKeyUnderAnotherArea(t *testing.T) {
	server := testenv.Redis(t)
	n := open(t, cohort.Options{Getenv: onRedis(server.URL(), "CLUSTER_NAMESPACE", "shop"), Fresh: true})
	use(t, n)
	keys, err := server.Client(t).Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	areas := map[string]bool{}
	for _, key := range keys {
		parts := strings.SplitN(key, ":", 3)
		if parts[0] != "shop" || len(parts) < 3 {
			t.Errorf("key %q is not below the namespace and an area", key)
			continue
		}
		areas[parts[1]] = true
	}
	if len(areas) < 4 {
		t.Errorf("only these areas left keys: %v", areas)
	}
}

func TestOpenFailsWhole(t *testing.T) {
	server := testenv.Redis(t)
	observer := server.Client(t)
	_, err := cohort.Open(t.Context(), cohort.Options{Getenv: onRedis(server.URL(), "QUEUE_ADAPTER_REDIS_URL", "redis://:s3cr3t@127.0.0.1:1/0")})
	if err == nil {
		t.Fatal("opened")
	}
	if strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), "queue") {
		t.Errorf("%q shows the password or does not name the area", err)
	}
	eventually(t, "connections end", func() bool {
		list, err := observer.ClientList(t.Context()).Result()
		return err == nil && strings.Count(list, "\n") == 1
	})
}
