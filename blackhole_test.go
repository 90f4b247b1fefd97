package cohort_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/snowflake"
)

// behind opens a node that reaches the server through a proxy, with every area.
func behind(t *testing.T, server *testenv.Server, more ...string) (*cohort.Node, *testenv.Proxy) {
	t.Helper()
	proxy := testenv.NewProxy(t, server.Addr())
	n, err := cohort.Open(t.Context(), cohort.Options{Getenv: onRedis("redis://"+proxy.Addr()+"/0", more...), Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		proxy.Pass()
		_ = n.Close(context.Background()) // a test that closes it looks at the error
	})
	use(t, n)
	return n, proxy
}

// probe asks as a load balancer does, and how long the answer took.
func probe(n *cohort.Node, path string) (code int, body string, took time.Duration) {
	w := httptest.NewRecorder()
	start := time.Now()
	n.Health().Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String(), time.Since(start)
}

// What one call may take, and how much longer than its ctx allows: half of the
// promised 50 ms, because the limit below is twice that.
const (
	callBound = 200 * time.Millisecond
	overtime  = 25 * time.Millisecond
)

// TestTimingBlackHole: with Redis out of reach the node lives and says so within
// 50 ms, every call of every area ends with its ctx, and so does Close.
func TestTimingBlackHole(t *testing.T) {
	testenv.Timing(t)
	n, proxy := behind(t, testenv.Redis(t))
	calls := everyCall(t, n)
	status := func(want string) {
		t.Helper()
		var slowest time.Duration
		eventually(t, "status "+want, func() bool {
			code, body, took := probe(n, "/readyz")
			slowest = max(slowest, took)
			return code == http.StatusOK && strings.Contains(body, `{"status":"`+want+`"`)
		})
		live, _, took := probe(n, "/livez")
		slowest = max(slowest, took)
		if live != http.StatusOK || slowest > 2*overtime {
			t.Errorf("%s: livez is %d, the slowest answer took %v, want at most %v", want, live, slowest, 2*overtime)
		}
	}
	status("ok")
	var latest time.Duration
	for _, way := range []testenv.Direction{testenv.ToServer, testenv.ToClient, testenv.Both} {
		proxy.Hole(way)
		for _, c := range calls {
			ctx, cancel := context.WithTimeout(t.Context(), callBound)
			start := time.Now()
			err := c.call(ctx)
			took := time.Since(start)
			cancel()
			if took > callBound+2*overtime || c.want == fails && err == nil || c.want == works && err != nil {
				t.Errorf("%s: %v after %v, want an answer within %v", c.name, err, took, callBound+2*overtime)
			}
			latest = max(latest, took-callBound)
			t.Logf("hole %d  %-16s %v", way, c.name, took.Round(time.Millisecond))
		}
		status("degraded")
		proxy.Pass()
		status("ok")
	}
	t.Logf("the latest call ended %v after its ctx", latest.Round(time.Millisecond))
	proxy.Hole(testenv.Both)
	ctx, cancel := context.WithTimeout(t.Context(), 5*callBound)
	defer cancel()
	start := time.Now()
	err := n.Close(ctx)
	if took := time.Since(start); err == nil || took > 5*callBound+4*overtime {
		t.Errorf("Close: %v after %v, want an error within %v", err, took, 5*callBound+4*overtime)
	} else {
		t.Logf("Close took %v of %v", took.Round(time.Millisecond), 5*callBound)
	}
}

// areaCall is one call of an area.
type areaCall struct {
	name string
	want outcome
	call func(ctx context.Context) error
}

// outcome is that of a call while the server is away.
type outcome int

const (
	fails outcome = iota
	works         // it needs no server
	falls         // it works without the server once that is known to be away
)

func everyCall(t *testing.T, n *cohort.Node) []areaCall {
	t.Helper()
	q, err := n.Queue("mail")
	if err != nil {
		t.Fatal(err)
	}
	inspector, _ := q.(queue.Inspector)
	c, err := n.Cache("users")
	if err != nil {
		t.Fatal(err)
	}
	users := cache.MustOf(c, cache.JSON[int](), cache.Policy{TTL: time.Minute})
	load := func(context.Context, string) (int, error) { return 1, nil }
	barrier, _ := n.PubSub().(pubsub.Barrierer)
	subscribe := func(ctx context.Context) error {
		_, err := n.PubSub().Subscribe(ctx, "later.*", func(context.Context, *pubsub.Delivery) error { return nil }, pubsub.SubscribeOptions{})
		return err
	}
	return []areaCall{
		{"ids next", works, func(ctx context.Context) error { _, err := n.IDs().Next(ctx); return err }},
		{"ids fill", works, func(ctx context.Context) error { return n.IDs().Fill(ctx, make([]snowflake.ID, 100)) }},
		{"cache get", fails, func(ctx context.Context) error { _, err := users.Get(ctx, "a"); return err }},
		{"cache load", falls, func(ctx context.Context) error { _, err := users.GetOrLoad(ctx, "a", load); return err }},
		{"cache set", fails, func(ctx context.Context) error { return users.Set(ctx, "a", 1) }},
		{"cache delete", fails, func(ctx context.Context) error { _, err := users.Delete(ctx, "a"); return err }},
		{"lock try", fails, func(ctx context.Context) error { _, err := n.Locker().TryAcquire(ctx, "x", lock.Request{}); return err }},
		{"lock acquire", fails, func(ctx context.Context) error { _, err := n.Locker().Acquire(ctx, "y", lock.Request{}); return err }},
		{"queue enqueue", fails, func(ctx context.Context) error { _, err := q.Enqueue(ctx, queue.Message{}); return err }},
		{"queue many", fails, func(ctx context.Context) error { _, err := q.EnqueueMany(ctx, make([]queue.Message, 9)); return err }},
		{"queue receive", fails, func(ctx context.Context) error { _, err := q.Receive(ctx, 1, time.Second); return err }},
		{"queue stats", fails, func(ctx context.Context) error { _, err := inspector.Stats(ctx); return err }},
		{"pubsub publish", fails, func(ctx context.Context) error {
			_, err := n.PubSub().Publish(ctx, pubsub.Message{Channel: "later.on"})
			return err
		}},
		{"pubsub barrier", fails, func(ctx context.Context) error { _, err := barrier.Barrier(ctx); return err }},
		{"pubsub subscribe", fails, subscribe},
		{"open", fails, func(ctx context.Context) error {
			other, err := cohort.Open(ctx, cohort.Options{Getenv: onRedis(n.Config().Worker.Address())})
			if err == nil {
				err = other.Close(ctx)
			}
			return err
		}},
	}
}
