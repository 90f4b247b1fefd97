package lockredis_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
)

// A lease with a ttl of 1s survives a link with a round trip of 300 ± 200 ms that
// stops twice for 400 ms. The proxy is the link: where this machine stops the
// proxy itself for longer than the link may take, nothing is shown, and the
// attempt is repeated.
func TestTimingFlakyLink(t *testing.T) {
	testenv.Timing(t)
	server := testenv.Redis(t)
	span := 8 * time.Second
	if testenv.Long() {
		span = time.Minute
	}
	const attempts = 4
	for attempt := range attempts {
		ctx, stop := context.WithCancel(t.Context())
		lag := longestLag(ctx)
		lost := flakyLink(t, server, span)
		stop()
		worst := <-lag
		t.Logf("attempt %d: lost %v, the machine paused for up to %v", attempt+1, lost, worst)
		switch {
		case lost == nil:
			return
		case worst < 30*time.Millisecond:
			t.Fatal("the link kept to its figures")
		}
	}
	t.Errorf("the machine was too busy in all of %d attempts", attempts)
}

// longestLag tells, when ctx has ended, how late a timer of this process was at
// worst.
func longestLag(ctx context.Context) <-chan time.Duration {
	worst := make(chan time.Duration, 1)
	go func() { // ends with ctx
		const nap = 5 * time.Millisecond
		late := time.Duration(0)
		for ctx.Err() == nil {
			began := time.Now()
			time.Sleep(nap)
			late = max(late, time.Since(began)-nap)
		}
		worst <- late
	}()
	return worst
}

// flakyLink holds a lease over such a link and returns the cause of its loss.
func flakyLink(t *testing.T, server *testenv.Server, span time.Duration) error {
	t.Helper()
	proxy := testenv.NewProxy(t, server.Addr())
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	l := open(t, client)
	var warm sync.WaitGroup
	for range 8 { // the connections of a program at work
		warm.Go(func() { _, _ = l.Inspect(t.Context(), "one") })
	}
	warm.Wait()
	slow := func() { proxy.Delay(150*time.Millisecond, 100*time.Millisecond) } // each way
	slow()
	defer proxy.Pass()
	lease := acquire(t, l, "one", lock.Request{TTL: time.Second})
	for cut := range 3 {
		select {
		case <-lease.Context().Done():
			return context.Cause(lease.Context())
		case <-time.After(span / 3):
		}
		if cut < 2 {
			proxy.Hole(testenv.Both)
			time.Sleep(400 * time.Millisecond)
			proxy.Pass()
			slow()
		}
	}
	proxy.Pass()
	return lease.Release(t.Context())
}
