package cachetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cohort-go/cohort/cache"
)

func cacheCases() []Case {
	return []Case{
		{"Cache/OwnWriteAtOnce", "On the node that wrote, no older value is returned at all.", ownWriteAtOnce},
		{"Cache/OtherNodes", "A change on another node is seen within MaxStaleness.", otherNodes},
		{"Cache/Races", "A value whose load overlapped a change is never kept.", races},
		{"Cache/JoinsNoOldLoad", "A caller never gets the value of a load that a change overtook before the call.", joinsNoOldLoad},
		{"Cache/OneLoad", "One loader runs per key among all nodes.", oneLoad},
		{"Cache/LoaderFails", "An error or a panic of a loader reaches all who wait, and nothing is kept.", loaderFails},
		{"Cache/CallerLeaves", "A caller that leaves does not end the load for the others.", callerLeaves},
		{"Cache/Negative", "An absent value is remembered as NegativeTTL says, and not without it.", negative},
		{"Cache/ZeroValues", "Zero values are hits.", zeroValues},
		{"Cache/StaleFor", "StaleFor serves what expired while it is loaded anew, never what was deleted.", staleFor},
		{"Cache/FailSafe", "FailSafe serves what expired when the loader fails or is slow.", failSafe},
		{"Cache/HardTimeout", "HardTimeout ends the wait for a loader that ignores its ctx.", hardTimeout},
		{"Cache/RefreshAhead", "RefreshAhead replaces a value before it expires, and nobody waits.", refreshAhead},
		{"Cache/Update", "Update is atomic, and keeps the TTL.", update},
		{"Cache/Prefixes", "A Cache never touches keys of another Prefix; Clear empties its own.", prefixes},
		{"Cache/Corrupt", "An entry that cannot be decoded counts as absent, and is replaced.", corrupts},
		{"Cache/Many", "GetOrLoadMany loads the keys that are nowhere, and only those.", many},
		{"Cache/LoadedEntry", "A loader decides TTL, tags and whether its value is kept.", loadedEntry},
		{"Cache/Lookup", "Lookup says where a value came from.", lookup},
		{"Cache/Close", "After Close of a Cache every call reports ErrClosed and no loader runs.", closeCache},
	}
}

func ownWriteAtOnce(t TB, b Backend) {
	w := b.words(t, cache.Policy{})
	for i := range 200 {
		v := fmt.Sprint(i)
		check(t, w.Set(t.Context(), "k", v), "Set")
		got, err := w.Get(t.Context(), "k")
		check(t, err, "Get")
		if got != v {
			t.Fatalf("read %s after writing %s", got, v)
		}
		if i%10 == 0 {
			_, err := w.Delete(t.Context(), "k")
			check(t, err, "Delete")
			if got, err := w.Get(t.Context(), "k"); !errors.Is(err, cache.ErrNotFound) {
				t.Fatalf("read %q, %v after Delete", got, err)
			}
		}
	}
}

// changes are the ways to make a value older than it may be.
var changes = []struct {
	name  string
	apply func(ctx context.Context, w *cache.Typed[string]) error
	after string // the value that reads find, "-" for none
}{
	{"Set", func(ctx context.Context, w *cache.Typed[string]) error { return w.Set(ctx, "k", "new") }, "new"},
	{"Delete", func(ctx context.Context, w *cache.Typed[string]) error { _, err := w.Delete(ctx, "k"); return err }, "-"},
	{"InvalidateTags", func(ctx context.Context, w *cache.Typed[string]) error {
		return w.Cache().InvalidateTags(ctx, "tag")
	}, "-"},
	{"Clear", func(ctx context.Context, w *cache.Typed[string]) error { return w.Cache().Clear(ctx) }, "-"},
	{"Touch", func(ctx context.Context, w *cache.Typed[string]) error { return w.Touch(ctx, "k", time.Millisecond) }, "-"},
}

func read(t TB, w *cache.Typed[string], key string) string {
	t.Helper()
	v, err := w.Get(t.Context(), key)
	if errors.Is(err, cache.ErrNotFound) {
		return "-"
	}
	check(t, err, "Get %q", key)
	return v
}

func otherNodes(t TB, b Backend) {
	p := cache.Policy{Tags: []string{"tag"}}
	one, two := b.words(t, p), b.words(t, p)
	for _, change := range changes {
		check(t, one.Set(t.Context(), "k", "old"), "Set")
		for _, w := range []*cache.Typed[string]{one, two} {
			eventually(t, "the old value on every node", func() bool { return read(t, w, "k") == "old" })
		}
		check(t, change.apply(t.Context(), one), "%s", change.name)
		time.Sleep(2 * time.Millisecond) // for Touch
		if got := read(t, one, "k"); got != change.after {
			t.Errorf("%s: its own node reads %q", change.name, got)
		}
		time.Sleep(time.Second) // MaxStaleness
		if got := read(t, two, "k"); got != change.after {
			t.Errorf("%s: the other node reads %q", change.name, got)
		}
	}
}

func races(t TB, b Backend) {
	p := cache.Policy{Tags: []string{"tag"}}
	one, two := b.words(t, p), b.words(t, p)
	for _, change := range changes[:4] {
		_, err := one.Delete(t.Context(), "k")
		check(t, err, "Delete")
		eventually(t, "no value on the node that loads", func() bool { return read(t, two, "k") == "-" })
		loading, proceed := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			got, err := two.GetOrLoad(t.Context(), "k", func(context.Context, string) (string, error) {
				close(loading)
				<-proceed
				return "old", nil
			})
			if err != nil || got != "old" {
				t.Errorf("%s: the load gave %q, %v", change.name, got, err)
			}
		})
		<-loading
		check(t, change.apply(t.Context(), one), "%s", change.name)
		close(proceed)
		wg.Wait()
		time.Sleep(time.Second)
		for i, w := range []*cache.Typed[string]{one, two} {
			if got := read(t, w, "k"); got != change.after {
				t.Errorf("%s during the load: node %d reads %q, want %q", change.name, i+1, got, change.after)
			}
		}
	}
}

func update(t TB, b Backend) {
	var nodes []*cache.Typed[int]
	for range 3 {
		nodes = append(nodes, typed[int](t, b.newCache(t, "update"), cache.Policy{TTL: time.Minute}))
	}
	_, err := nodes[0].SetWith(t.Context(), "k", 0, cache.SetOptions{TTL: time.Second * 30})
	check(t, err, "SetWith")
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for range 10 {
				err := nodes[i%3].Update(t.Context(), "k", func(old int, _ bool) (int, error) { return old + 1, nil })
				if err != nil {
					t.Errorf("Update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	time.Sleep(time.Second)
	for i, w := range nodes {
		if v, err := w.Get(t.Context(), "k"); err != nil || v != 60 {
			t.Errorf("node %d reads %d, %v after 60 additions", i, v, err)
		}
	}
	if ttl, err := nodes[0].TTL(t.Context(), "k"); err != nil || ttl > 30*time.Second {
		t.Errorf("TTL %v, %v; want what it was", ttl, err)
	}
	err = nodes[0].Update(t.Context(), "fresh", func(old int, found bool) (int, error) {
		if found {
			t.Errorf("found %d where there is nothing", old)
		}
		return 7, nil
	})
	check(t, err, "Update")
	refuse := errors.New("no")
	if err := nodes[0].Update(t.Context(), "k", func(int, bool) (int, error) { return 0, refuse }); !errors.Is(err, refuse) {
		t.Errorf("got %v, want fn's error", err)
	}
	if v, _ := nodes[0].Get(t.Context(), "k"); v != 60 {
		t.Errorf("a refused Update left %d", v)
	}
}

func prefixes(t TB, b Backend) {
	a, ab := typed[string](t, b.newCache(t, "a"), cache.Policy{}), typed[string](t, b.newCache(t, "ab"), cache.Policy{})
	odd := []string{"*", "?", "[a-z]", "{k}", "k k", ":", "b/k", `\`}
	for _, k := range odd {
		check(t, a.Set(t.Context(), k, "a"), "Set")
		check(t, ab.Set(t.Context(), k, "ab"), "Set")
	}
	check(t, a.Cache().Clear(t.Context()), "Clear")
	for _, k := range odd {
		if got := read(t, a, k); got != "-" {
			t.Errorf("a has %q under %q after Clear", got, k)
		}
		if got := read(t, ab, k); got != "ab" {
			t.Errorf("ab has %q under %q after Clear of a", got, k)
		}
	}
	var got []string
	for key, err := range ab.Cache().Keys(t.Context()) {
		check(t, err, "Keys")
		got = append(got, key)
	}
	slices.Sort(got)
	slices.Sort(odd)
	if !slices.Equal(got, odd) {
		t.Errorf("keys of ab: %q, want %q", got, odd)
	}
	check(t, a.Set(t.Context(), "k", "again"), "Set after Clear")
	if got := read(t, a, "k"); got != "again" {
		t.Errorf("after Clear and Set: %q", got)
	}
}

func corrupts(t TB, b Backend) {
	for name, format := range map[string]string{"broken": "json", "foreign": "other"} {
		s := b.Node(t)
		put(t, s, "words/"+name, "{", func(w *cache.Write) { w.Format = format })
		w := b.words(t, cache.Policy{})
		if got := read(t, w, name); got != "-" {
			t.Errorf("%s: read %q", name, got)
		}
		var loads int
		for range 2 {
			v, err := w.GetOrLoad(t.Context(), name, func(context.Context, string) (string, error) { loads++; return "v", nil })
			if err != nil || v != "v" {
				t.Errorf("%s: got %q, %v", name, v, err)
			}
		}
		if loads != 1 {
			t.Errorf("%s: %d loads, want 1", name, loads)
		}
		if w.Cache().Stats().Corrupt == 0 {
			t.Errorf("%s: not counted", name)
		}
	}
}

func lookup(t TB, b Backend) {
	one, two := b.words(t, cache.Policy{StaleFor: time.Hour}), b.words(t, cache.Policy{StaleFor: time.Hour})
	sec := b.second()
	version, err := one.SetWith(t.Context(), "k", "v", cache.SetOptions{TTL: 2 * sec})
	check(t, err, "SetWith")
	found, err := two.Lookup(t.Context(), "k")
	check(t, err, "Lookup")
	if found.Value != "v" || found.Source != cache.FromL2 || found.Version != version {
		t.Errorf("first: %+v", found)
	}
	eventually(t, "an L1 hit", func() bool {
		found, err = two.Lookup(t.Context(), "k")
		return err == nil && found.Source == cache.FromL1 && found.Version == version
	})
	time.Sleep(3 * sec)
	found, err = two.Lookup(t.Context(), "k")
	check(t, err, "Lookup")
	if found.Source != cache.Stale || found.Unproven || found.Age < 2*sec {
		t.Errorf("expired: %+v", found)
	}
}

func closeCache(t TB, b Backend) {
	w := b.words(t, cache.Policy{})
	check(t, w.Set(t.Context(), "kept", "v"), "Set")
	loading := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := w.GetOrLoad(t.Context(), "k", func(ctx context.Context, _ string) (string, error) {
			close(loading)
			return "", sleep(ctx, time.Hour)
		})
		if !errors.Is(err, cache.ErrClosed) {
			t.Errorf("the load that ran got %v, want ErrClosed", err)
		}
	})
	<-loading
	check(t, w.Cache().Close(t.Context()), "Close")
	wg.Wait()
	check(t, w.Cache().Close(t.Context()), "second Close")
	_, get := w.Get(t.Context(), "kept")
	_, load := w.GetOrLoad(t.Context(), "kept", func(context.Context, string) (string, error) { return "", nil })
	_, del := w.Delete(t.Context(), "kept")
	for op, err := range map[string]error{
		"Get": get, "GetOrLoad": load, "Delete": del, "Set": w.Set(t.Context(), "kept", "v"),
		"Clear": w.Cache().Clear(t.Context()), "Update": w.Update(t.Context(), "kept", func(string, bool) (string, error) { return "", nil }),
	} {
		if !errors.Is(err, cache.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", op, err)
		}
	}
}
