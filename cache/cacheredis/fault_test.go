package cacheredis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
	"github.com/cohort-go/cohort/internal/testenv"
)

func TestTimingListenerIsHoled(t *testing.T) {
	testenv.Timing(t)
	for name, dir := range map[string]testenv.Direction{"both": testenv.Both, "half open": testenv.ToClient} {
		t.Run(name, func(t *testing.T) {
			srv := testenv.Redis(t)
			c, proxy := split(t, srv)
			a := newNode(t, srv.Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
			b := newNode(t, c, cacheredis.Options{}, cache.Policy{}, cache.Bypass)
			a.set(t, "k", "old")
			b.warm(t, "k")
			proxy.Hole(dir)
			a.set(t, "k", "new")
			last := b.lastOld(t, "k", time.Now(), 5*time.Second)
			t.Logf("older value last returned %v after the change", last)
			if last > 2*(bound+grace) {
				t.Errorf("limit is 2 × %v", bound+grace)
			}
			if last > bound+grace {
				t.Logf("above the promise of %v on this machine", bound+grace)
			}
			proxy.Pass()
			b.warm(t, "k")
		})
	}
}

func TestTimingListenerIsCut(t *testing.T) {
	testenv.Timing(t)
	srv := testenv.Redis(t)
	c, proxy := split(t, srv)
	a := newNode(t, srv.Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	b := newNode(t, c, cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	var worst time.Duration
	for range 10 {
		a.set(t, "k", "old")
		waitFor(t, "old", func() bool { return b.get(t, "k") == "old" })
		b.warm(t, "k")
		proxy.Reset()
		a.set(t, "k", "new")
		worst = max(worst, b.lastOld(t, "k", time.Now(), 300*time.Millisecond))
	}
	t.Logf("older value last returned %v after the change", worst)
	if worst > 2*100*time.Millisecond {
		t.Errorf("limit is 2 × 100ms")
	}
}

func TestCutAndManyWrites(t *testing.T) {
	srv := testenv.Redis(t)
	c, proxy := split(t, srv)
	o := cacheredis.Options{MaxLen: 50}
	a := newNode(t, srv.Client(t), o, cache.Policy{}, cache.Bypass)
	b := newNode(t, c, o, cache.Policy{}, cache.Bypass)
	a.set(t, "k", "old")
	b.warm(t, "k")
	proxy.Hole(testenv.Both)
	a.set(t, "k", "new")
	for i := range 1000 {
		a.set(t, fmt.Sprint("other", i), "x")
	}
	time.Sleep(bound + grace)
	if got := b.get(t, "k"); got != "new" {
		t.Errorf("while cut off it reads %q", got)
	}
	proxy.Pass()
	proxy.Reset()
	waitFor(t, "a dropped tier", func() bool { return b.Cache().Stats().Resets >= 1 })
	b.warm(t, "k")
	if got := b.get(t, "k"); got != "new" {
		t.Errorf("afterwards it reads %q", got)
	}
}

func TestCutAndFewWrites(t *testing.T) {
	srv := testenv.Redis(t)
	c, proxy := split(t, srv)
	a := newNode(t, srv.Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	b := newNode(t, c, cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	for _, key := range []string{"changed", "unrelated"} {
		a.set(t, key, "old")
		b.warm(t, key)
	}
	before := b.Cache().Stats().Resets
	proxy.Reset()
	a.set(t, "changed", "new")
	waitFor(t, "proof", func() bool { return b.Cache().Fresh("changed") && b.get(t, "changed") == "new" })
	f, err := b.Lookup(t.Context(), "unrelated")
	if err != nil || f.Source != cache.FromL1 || b.Cache().Stats().Resets != before {
		t.Errorf("unrelated: %v from %v, %d resets", err, f.Source, b.Cache().Stats().Resets-before)
	}
}

func TestServerLosesData(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, srv *testenv.Server, c *redis.Client){
		"FLUSHALL": func(t *testing.T, _ *testenv.Server, c *redis.Client) {
			if err := c.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		},
		"restart empty": func(t *testing.T, srv *testenv.Server, _ *redis.Client) { srv.RestartEmpty(t) },
	} {
		t.Run(name, func(t *testing.T) {
			srv := testenv.Redis(t)
			c := srv.Client(t)
			a := newNode(t, c, cacheredis.Options{}, cache.Policy{}, cache.Bypass)
			b := newNode(t, srv.Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
			a.set(t, "k", "old")
			b.warm(t, "k")
			lose(t, srv, c)
			waitFor(t, "a write", func() bool { return a.Set(t.Context(), "k", "new") == nil })
			time.Sleep(bound + grace)
			if got := b.get(t, "k"); got != "new" {
				t.Errorf("it reads %q", got)
			}
			b.warm(t, "k")
		})
	}
}

// TestOlderSnapshot: a server that comes back with data from before a write that it
// had acknowledged does not bring the older value back.
func TestOlderSnapshot(t *testing.T) {
	srv := testenv.Redis(t)
	a := newNode(t, srv.Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	b := newNode(t, srv.Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	a.set(t, "k", "old")
	b.warm(t, "k")
	snapshot := srv.Snapshot(t)
	a.set(t, "k", "new")
	srv.RestartFrom(t, snapshot)
	time.Sleep(bound) // no proof from before counts any more
	for _, n := range []node{a, b} {
		waitFor(t, "proof", func() bool { return n.Cache().Fresh("k") })
		if got := n.get(t, "k"); got == "old" {
			t.Errorf("the older value is back")
		}
	}
}

// TestLostWriteNobodyHeardOf: a node that did not hear of the write that the server
// lost finds nothing missing, and yet drops its older copy.
func TestLostWriteNobodyHeardOf(t *testing.T) {
	srv := testenv.Redis(t)
	c, proxy := split(t, srv)
	a := newNode(t, srv.Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	b := newNode(t, c, cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	a.set(t, "k", "old")
	b.warm(t, "k")
	snapshot := srv.Snapshot(t)
	proxy.Hole(testenv.Both)
	a.set(t, "k", "new")
	srv.RestartFrom(t, snapshot)
	proxy.Pass()
	proxy.Reset()
	time.Sleep(bound) // no proof from before counts any more
	waitFor(t, "proof", func() bool { return b.Cache().Fresh("k") })
	if got := b.get(t, "k"); got == "old" {
		t.Errorf("the older value is back")
	}
}

func TestScriptFlushInTraffic(t *testing.T) {
	srv := testenv.Redis(t)
	c := srv.Client(t)
	a := newNode(t, c, cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			_ = c.ScriptFlush(t.Context())
			time.Sleep(5 * time.Millisecond)
		}
	})
	for i := range 8 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				key := fmt.Sprint("k", i)
				if err := a.Set(t.Context(), key, fmt.Sprint(n)); err != nil {
					t.Errorf("Set: %v", err)
				}
				if got := a.get(t, key); got != fmt.Sprint(n) {
					t.Errorf("read %q after writing %d", got, n)
				}
				if _, err := a.Delete(t.Context(), key); err != nil {
					t.Errorf("Delete: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestOwnWrites(t *testing.T) {
	a := newNode(t, testenv.Redis(t).Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	for i := range 10_000 {
		v := fmt.Sprint(i)
		a.set(t, "k", v)
		if got := a.get(t, "k"); got != v {
			t.Fatalf("read %q after writing %s", got, v)
		}
	}
}

// TestVersionsNeverGoBack: with several writers of one key, no reader sees a version
// after a newer one, on one node.
func TestVersionsNeverGoBack(t *testing.T) {
	srv := testenv.Redis(t)
	nodes := make([]node, 3)
	for i := range nodes {
		nodes[i] = newNode(t, srv.Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			for w := 0; ctx.Err() == nil; w++ {
				n.set(t, "k", fmt.Sprint(i, w))
				time.Sleep(200 * time.Microsecond)
			}
		})
		wg.Go(func() {
			var newest uint64
			for ctx.Err() == nil {
				f, err := n.Lookup(t.Context(), "k")
				if err != nil {
					continue
				}
				if v := f.Version.Ordinal(); v < newest {
					t.Errorf("node %d saw version %d after %d (from %v)", i, v, newest, f.Source)
					return
				}
				newest = f.Version.Ordinal()
			}
		})
	}
	wg.Wait()
}

func TestServerIsStopped(t *testing.T) {
	srv := testenv.Redis(t)
	c := srv.Client(t)
	a := newNode(t, c, cacheredis.Options{}, cache.Policy{}, cache.ServeStale)
	a.set(t, "k", "old")
	a.warm(t, "k")
	srv.Freeze()
	waitFor(t, "its own copy, marked", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		f, err := a.Lookup(ctx, "k")
		return err == nil && f.Source == cache.Stale && f.Unproven
	})
	took := make([]time.Duration, 1000)
	for i := range took {
		began := time.Now()
		if got, err := a.GetOrLoad(t.Context(), "k", nil); err != nil || got != "old" {
			t.Fatalf("got %q, %v; want its own copy", got, err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	t.Logf("p99 %v", p99)
	if p99 > 2*5*time.Millisecond {
		t.Errorf("limit is 2 × 5ms")
	}
	if _, err := a.Delete(t.Context(), "k"); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("Delete: %v, want ErrUnavailable", err)
	}
	v, err := a.GetOrLoad(t.Context(), "other", func(context.Context, string) (string, error) { return "loaded", nil })
	if err != nil || v != "loaded" {
		t.Errorf("GetOrLoad of what it does not have: %q, %v", v, err)
	}
	srv.Thaw()
	waitFor(t, "recovery", func() bool { return a.Set(t.Context(), "k", "new") == nil })
	a.warm(t, "k")
}

// TestHolderDies: a load whose node died is taken over when its lease lapses.
func TestHolderDies(t *testing.T) {
	srv := testenv.Redis(t)
	dead := newStore(t, srv.Client(t), cacheredis.Options{})
	if _, err := dead.Acquire(t.Context(), 300*time.Millisecond, false, "t/k"); err != nil {
		t.Fatal(err)
	}
	var loads atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		n := newNode(t, srv.Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
		for range 20 {
			wg.Go(func() {
				v, err := n.GetOrLoad(t.Context(), "k", func(context.Context, string) (string, error) {
					loads.Add(1)
					return "v", nil
				})
				if err != nil || v != "v" {
					t.Errorf("got %q, %v", v, err)
				}
			})
		}
	}
	wg.Wait()
	if loads.Load() != 1 {
		t.Errorf("%d loads, want 1", loads.Load())
	}
}

func TestTagsLeaveNothing(t *testing.T) {
	count := 5_000
	if testenv.Long() {
		count = 100_000
	}
	c := testenv.Redis(t).Client(t)
	s := newStore(t, c, cacheredis.Options{})
	ctx := t.Context()
	before := c.DBSize(ctx).Val()
	row := make([]cache.Write, 0, 500)
	for i := range count {
		row = append(row, cache.Write{Key: fmt.Sprint("k", i), WriteOptions: cache.WriteOptions{
			TTL: 200 * time.Millisecond, Tags: []string{fmt.Sprint("tag", i), "all"},
		}})
		if len(row) == cap(row) {
			if _, err := s.Set(ctx, row...); err != nil {
				t.Fatal(err)
			}
			row = row[:0]
		}
	}
	waitFor(t, "no keys of entries and tags", func() bool { return c.DBSize(ctx).Val() <= before+1 }) // the log
}

func TestForeignKeysAreUntouched(t *testing.T) {
	c := testenv.Redis(t).Client(t)
	ctx := t.Context()
	foreign := []string{"t/k", "cohort:cache:{0}:other", "cohort:lock:{t}", "cohort2:cache:{0}:e:t/k"}
	for _, key := range foreign {
		c.Set(ctx, key, "foreign", 0)
	}
	a := newNode(t, c, cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	a.set(t, "k", "v")
	if err := a.Cache().Clear(ctx); err != nil {
		t.Fatal(err)
	}
	for range a.Cache().Keys(ctx) {
		t.Errorf("keys after Clear")
	}
	for _, key := range foreign {
		if c.Get(ctx, key).Val() != "foreign" {
			t.Errorf("%s was touched", key)
		}
	}
	if left := c.Exists(ctx, "cohort:cache:{0}:e:t/k").Val(); left != 0 {
		t.Errorf("Clear left the entry")
	}
	for _, command := range []string{"keys", "flushdb", "flushall"} {
		if strings.Contains(c.Info(ctx, "commandstats").Val(), "cmdstat_"+command+":") {
			t.Errorf("%s was sent", command)
		}
	}
}
