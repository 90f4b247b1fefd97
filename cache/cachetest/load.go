package cachetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/cache"
)

func oneLoad(t TB, b Backend) {
	var loads, total atomic.Int64
	load := func(ctx context.Context, _ string) (string, error) {
		loads.Add(1)
		return "v", sleep(ctx, 50*time.Millisecond)
	}
	nodes := []*cache.Typed[string]{b.words(t, cache.Policy{}), b.words(t, cache.Policy{}), b.words(t, cache.Policy{})}
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			v, err := nodes[i%3].GetOrLoad(t.Context(), "k", load)
			if err != nil || v != "v" {
				t.Errorf("got %q, %v", v, err)
			}
			total.Add(1)
		})
	}
	wg.Wait()
	if loads.Load() != 1 || total.Load() != 60 {
		t.Errorf("%d loads for %d callers, want 1", loads.Load(), total.Load())
	}
}

// joinsNoOldLoad: a load is running on a node when another node changes the key. Who
// asks there MaxStaleness later must not get what that load brings. An invalidated
// tag is only compared when the load ends: until then the later caller waits.
func joinsNoOldLoad(t TB, b Backend) {
	p := cache.Policy{Tags: []string{"tag"}}
	one, two := b.words(t, p), b.words(t, p)
	for i, change := range changes[:4] {
		_, err := one.Delete(t.Context(), "k")
		check(t, err, "Delete")
		eventually(t, "no value on the node that loads", func() bool { return read(t, two, "k") == "-" })
		loading, proceed := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _ = two.GetOrLoad(t.Context(), "k", func(context.Context, string) (string, error) {
				close(loading)
				<-proceed
				return "old", nil
			})
		})
		<-loading
		check(t, change.apply(t.Context(), one), "%s", change.name)
		time.Sleep(time.Second) // MaxStaleness
		byTag := i >= 2
		if byTag {
			time.AfterFunc(b.second(), func() { close(proceed) })
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		got, err := two.GetOrLoad(ctx, "k", func(context.Context, string) (string, error) { return "new", nil })
		cancel()
		if !byTag {
			close(proceed)
		}
		wg.Wait()
		if err != nil || got != "new" {
			t.Fatalf("%s during the load: a later caller got %q, %v", change.name, got, err)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func loaderFails(t TB, b Backend) {
	w, other := b.words(t, cache.Policy{}), b.words(t, cache.Policy{})
	broken := errors.New("source broken")
	for i, fail := range []func() (string, error){
		func() (string, error) { return "wrong", broken },
		*new(func() (string, error)), // a nil function: it panics
	} {
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				_, err := w.GetOrLoad(t.Context(), "k", func(ctx context.Context, _ string) (string, error) {
					_ = sleep(ctx, 20*time.Millisecond)
					return fail()
				})
				if wanted := []error{broken, cache.ErrLoaderPanic}[i]; !errors.Is(err, wanted) {
					t.Errorf("got %v, want %v", err, wanted)
				}
			})
		}
		wg.Wait()
		if got := read(t, w, "k"); got != "-" {
			t.Errorf("kept %q", got)
		}
	}
	began := time.Now()
	v, err := other.GetOrLoad(t.Context(), "k", func(context.Context, string) (string, error) { return "right", nil })
	if err != nil || v != "right" {
		t.Errorf("next load: %q, %v", v, err)
	}
	if took := time.Since(began); took > time.Second+b.Slack {
		t.Errorf("the next load had to wait %v", took)
	}
}

func callerLeaves(t TB, b Backend) {
	w := b.words(t, cache.Policy{})
	ctx, cancel := context.WithCancel(t.Context())
	loading := make(chan struct{})
	load := func(ctx context.Context, _ string) (string, error) {
		close(loading)
		return "v", sleep(ctx, 100*time.Millisecond)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := w.GetOrLoad(ctx, "k", load); !errors.Is(err, context.Canceled) {
			t.Errorf("the caller that left got %v", err)
		}
	})
	<-loading
	wg.Go(func() {
		v, err := w.GetOrLoad(t.Context(), "k", func(context.Context, string) (string, error) { return "second load", nil })
		if err != nil || v != "v" {
			t.Errorf("the other caller got %q, %v", v, err)
		}
	})
	time.Sleep(10 * time.Millisecond)
	cancel()
	wg.Wait()
}

func negative(t TB, b Backend) {
	sec := b.second()
	for _, ttl := range []time.Duration{0, sec} {
		w := typed[string](t, b.newCache(t, fmt.Sprintf("negative%d", ttl)), cache.Policy{NegativeTTL: ttl})
		var loads int
		load := func(context.Context, string) (string, error) {
			loads++
			return "", fmt.Errorf("no row: %w", cache.ErrNotFound)
		}
		for range 3 {
			if _, err := w.GetOrLoad(t.Context(), "k", load); !errors.Is(err, cache.ErrNotFound) {
				t.Errorf("got %v, want ErrNotFound", err)
			}
		}
		if wanted := map[bool]int{true: 3, false: 1}[ttl == 0]; loads != wanted {
			t.Errorf("NegativeTTL %v: %d loads, want %d", ttl, loads, wanted)
		}
		time.Sleep(sec * 3 / 2)
		v, err := w.GetOrLoad(t.Context(), "k", func(context.Context, string) (string, error) { return "now", nil })
		if err != nil || v != "now" {
			t.Errorf("after NegativeTTL: %q, %v", v, err)
		}
	}
}

func zeroValues(t TB, b Backend) {
	zeroValue(t, b, 0)
	zeroValue(t, b, "")
	zeroValue(t, b, false)
	zeroValue[[]int](t, b, nil)
	zeroValue[*int](t, b, nil)
	zeroValue(t, b, struct{ A int }{})
}

func zeroValue[T any](t TB, b Backend, zero T) {
	t.Helper()
	name := fmt.Sprintf("%T", zero)
	w := typed[T](t, b.newCache(t, "zero"), cache.Policy{})
	var loads int
	for range 3 {
		v, err := w.GetOrLoad(t.Context(), name, func(context.Context, string) (T, error) { loads++; return zero, nil })
		check(t, err, "GetOrLoad")
		if fmt.Sprint(v) != fmt.Sprint(zero) {
			t.Errorf("%s: got %v", name, v)
		}
	}
	if loads != 1 {
		t.Errorf("%s: %d loads, want 1", name, loads)
	}
	other := typed[T](t, b.newCache(t, "zero"), cache.Policy{})
	if _, err := other.Get(t.Context(), name); err != nil {
		t.Errorf("%s on another node: %v", name, err)
	}
}

func staleFor(t TB, b Backend) {
	sec := b.second()
	w := b.words(t, cache.Policy{TTL: sec, StaleFor: time.Hour})
	check(t, w.Set(t.Context(), "k", "old"), "Set")
	time.Sleep(sec * 3 / 2)
	release := make(chan struct{})
	load := func(ctx context.Context, _ string) (string, error) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return "new", nil
	}
	v, err := w.GetOrLoad(t.Context(), "k", load)
	if err != nil || v != "old" {
		t.Errorf("while it is loaded anew: %q, %v", v, err)
	}
	if got := read(t, w, "k"); got != "-" {
		t.Errorf("Get returned the expired %q", got)
	}
	close(release)
	eventually(t, "the new value", func() bool { return read(t, w, "k") == "new" })

	time.Sleep(sec * 3 / 2)
	_, err = w.Delete(t.Context(), "k")
	check(t, err, "Delete")
	v, err = w.GetOrLoad(t.Context(), "k", func(context.Context, string) (string, error) { return "third", nil })
	if err != nil || v != "third" {
		t.Errorf("after Delete: %q, %v; want the loader's value", v, err)
	}
}

func failSafe(t TB, b Backend) {
	sec := b.second()
	w := b.words(t, cache.Policy{TTL: sec, FailSafe: time.Hour, SoftTimeout: 50 * time.Millisecond})
	check(t, w.Set(t.Context(), "k", "old"), "Set")
	time.Sleep(sec * 3 / 2)
	broken := errors.New("source broken")
	v, err := w.GetOrLoad(t.Context(), "k", func(context.Context, string) (string, error) { return "", broken })
	if err != nil || v != "old" {
		t.Errorf("after a failed load: %q, %v", v, err)
	}
	v, err = w.GetOrLoad(t.Context(), "k", func(ctx context.Context, _ string) (string, error) {
		return "new", sleep(ctx, 150*time.Millisecond)
	})
	if err != nil || v != "old" {
		t.Errorf("after SoftTimeout: %q, %v", v, err)
	}
	eventually(t, "the load that went on behind", func() bool { return read(t, w, "k") == "new" })
	_, err = w.Delete(t.Context(), "k")
	check(t, err, "Delete")
	if _, err := w.GetOrLoad(t.Context(), "k", func(context.Context, string) (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("after Delete: %v, want the loader's error", err)
	}
}

func hardTimeout(t TB, b Backend) {
	w := b.words(t, cache.Policy{HardTimeout: 100 * time.Millisecond})
	stuck := make(chan struct{})
	defer close(stuck)
	began := time.Now()
	_, err := w.GetOrLoad(t.Context(), "k", func(context.Context, string) (string, error) { <-stuck; return "late", nil })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
	if took := time.Since(began); took > 100*time.Millisecond+2*b.second() {
		t.Errorf("took %v", took)
	}
	v, err := w.GetOrLoad(t.Context(), "k", func(context.Context, string) (string, error) { return "next", nil })
	if err != nil || v != "next" {
		t.Errorf("next load: %q, %v", v, err)
	}
}

func refreshAhead(t TB, b Backend) {
	ttl := 4 * b.second()
	w := b.words(t, cache.Policy{TTL: ttl, RefreshAhead: 0.25})
	var n atomic.Int64
	load := func(context.Context, string) (string, error) { return fmt.Sprint(n.Add(1)), nil }
	_, err := w.GetOrLoad(t.Context(), "k", load)
	check(t, err, "GetOrLoad")
	time.Sleep(ttl / 2)
	v, err := w.GetOrLoad(t.Context(), "k", load)
	if err != nil || v != "1" {
		t.Errorf("ahead of time: %q, %v; want the value that is still fresh", v, err)
	}
	eventually(t, "the refreshed value", func() bool { return read(t, w, "k") == "2" })
	if n.Load() != 2 {
		t.Errorf("%d loads, want 2", n.Load())
	}
}

func many(t TB, b Backend) {
	one, two := b.words(t, cache.Policy{}), b.words(t, cache.Policy{})
	check(t, one.SetMany(t.Context(), map[string]string{"a": "A", "b": "B"}), "SetMany")
	var asked []string
	load := func(_ context.Context, keys []string) (map[string]string, error) {
		asked = append(asked, keys...)
		return map[string]string{"c": "C", "d": "D", "unasked": "x"}, nil
	}
	for range 2 {
		got, err := two.GetOrLoadMany(t.Context(), []string{"a", "b", "c", "d", "e"}, load)
		check(t, err, "GetOrLoadMany")
		if len(got) != 4 || got["a"] != "A" || got["d"] != "D" {
			t.Errorf("got %v", got)
		}
	}
	slices.Sort(asked)
	if wanted := []string{"c", "d", "e", "e"}; !slices.Equal(asked, wanted) {
		t.Errorf("the loader was asked for %v, want %v", asked, wanted)
	}
	got, err := one.GetMany(t.Context(), []string{"a", "c", "e", "unasked"})
	check(t, err, "GetMany")
	if len(got) != 2 || got["c"] != "C" {
		t.Errorf("GetMany: %v", got)
	}
}

func loadedEntry(t TB, b Backend) {
	sec := b.second()
	w := b.words(t, cache.Policy{})
	load := func(l cache.Loaded[string]) func(context.Context, string) (cache.Loaded[string], error) {
		return func(context.Context, string) (cache.Loaded[string], error) { return l, nil }
	}
	for key, l := range map[string]cache.Loaded[string]{
		"short":  {Value: "v", TTL: sec},
		"tagged": {Value: "v", Tags: []string{"own"}},
		"unkept": {Value: "v", NoStore: true},
	} {
		v, err := w.GetOrLoadEntry(t.Context(), key, load(l))
		if err != nil || v != "v" {
			t.Errorf("%s: %q, %v", key, v, err)
		}
	}
	if got := read(t, w, "unkept"); got != "-" {
		t.Errorf("NoStore kept %q", got)
	}
	if got := read(t, w, "tagged"); got != "v" {
		t.Errorf("tagged: %q", got)
	}
	check(t, w.Cache().InvalidateTags(t.Context(), "own"), "InvalidateTags")
	if got := read(t, w, "tagged"); got != "-" {
		t.Errorf("after its tag was invalidated: %q", got)
	}
	time.Sleep(sec * 3 / 2)
	if got := read(t, w, "short"); got != "-" {
		t.Errorf("after its own TTL: %q", got)
	}
}
