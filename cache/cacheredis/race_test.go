package cacheredis_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
	"github.com/cohort-go/cohort/internal/testenv"
)

// TestRaceMatrix: whatever brings an older value to a node while another node changes
// it, 100 ms later every node reads the newer one.
func TestRaceMatrix(t *testing.T) {
	srv := testenv.Redis(t)
	proxy := testenv.NewProxy(t, srv.Addr())
	slow := srv.Client(t, func(o *redis.Options) { o.Addr = proxy.Addr() })
	policy := cache.Policy{
		TTL: time.Minute, Tags: []string{"tag"}, FailSafe: time.Hour,
		RefreshAhead: 0.0001, SoftTimeout: 5 * time.Millisecond,
	}
	changes := []struct {
		name  string
		apply func(ctx context.Context, a node) error
		after string
	}{
		{"Set", func(ctx context.Context, a node) error { return a.Set(ctx, "k", "new") }, "new"},
		{"Delete", func(ctx context.Context, a node) error { _, err := a.Delete(ctx, "k"); return err }, "-"},
		{"InvalidateTags", func(ctx context.Context, a node) error { return a.Cache().InvalidateTags(ctx, "tag") }, "-"},
		{"Clear", func(ctx context.Context, a node) error { return a.Cache().Clear(ctx) }, "-"},
		{"Expiry", func(ctx context.Context, a node) error { return a.Touch(ctx, "k", time.Millisecond) }, "-"},
	}
	for _, bring := range bringers {
		for _, change := range changes {
			if change.name == "Expiry" && bring.name != "delayed reply" {
				continue // an expiry says nothing of a value that is being loaded
			}
			t.Run(bring.name+"/"+change.name, func(t *testing.T) {
				o := cacheredis.Options{Namespace: namespace(t)}
				a := newNode(t, srv.Client(t), o, policy, cache.Bypass)
				b := newNode(t, slow, o, policy, cache.Bypass)
				defer proxy.Pass()
				var wg sync.WaitGroup
				bring.f(t, a, b, proxy, func(wait func()) {
					if err := change.apply(t.Context(), a); err != nil {
						t.Fatal(err)
					}
					wait()
				}, &wg)
				wg.Wait()
				proxy.Pass()
				time.Sleep(100 * time.Millisecond)
				for i, n := range []node{a, b} {
					if got := n.get(t, "k"); got != change.after {
						t.Errorf("node %d reads %q, want %q", i, got, change.after)
					}
				}
			})
		}
	}
}

// bringers are the ways by which an older value may reach node b. Each calls during
// once the value is on its way, with what makes it arrive.
var bringers = []struct {
	name string
	f    func(t *testing.T, a, b node, p *testenv.Proxy, during func(arrive func()), wg *sync.WaitGroup)
}{
	{"loader", func(t *testing.T, _, b node, _ *testenv.Proxy, during func(func()), wg *sync.WaitGroup) {
		loading, proceed := make(chan struct{}), make(chan struct{})
		wg.Go(func() { _, _ = b.GetOrLoad(t.Context(), "k", slowLoad(loading, proceed)) })
		<-loading
		during(func() { close(proceed) })
	}},
	{"delayed reply", func(t *testing.T, a, b node, p *testenv.Proxy, during func(func()), wg *sync.WaitGroup) {
		a.set(t, "k", "old")
		p.Delay(20*time.Millisecond, 0)
		wg.Go(func() { _ = b.get(t, "k") })
		time.Sleep(30 * time.Millisecond) // the question is at the server, the answer is not here
		during(func() {})
	}},
	{"refresh", func(t *testing.T, a, b node, _ *testenv.Proxy, during func(func()), wg *sync.WaitGroup) {
		a.set(t, "k", "old")
		time.Sleep(10 * time.Millisecond) // beyond RefreshAhead
		loading, proceed := make(chan struct{}), make(chan struct{})
		wg.Go(func() { _, _ = b.GetOrLoad(t.Context(), "k", slowLoad(loading, proceed)) })
		<-loading
		during(func() { close(proceed); time.Sleep(10 * time.Millisecond) })
	}},
	{"soft timeout", func(t *testing.T, a, b node, _ *testenv.Proxy, during func(func()), _ *sync.WaitGroup) {
		if _, err := a.SetWith(t.Context(), "k", "older", cache.SetOptions{TTL: time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
		loading, proceed := make(chan struct{}), make(chan struct{})
		v, err := b.GetOrLoad(t.Context(), "k", slowLoad(loading, proceed))
		if err != nil || v != "older" {
			t.Errorf("after SoftTimeout: %q, %v", v, err)
		}
		during(func() { close(proceed); time.Sleep(10 * time.Millisecond) })
	}},
}

func slowLoad(loading, proceed chan struct{}) cache.Loader[string] {
	var once sync.Once
	return func(context.Context, string) (string, error) {
		once.Do(func() { close(loading) })
		<-proceed
		return "old", nil
	}
}
