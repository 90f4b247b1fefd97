package cachetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/cohort-go/cohort/cache"
)

func storeCases() []Case {
	return []Case{
		{"Store/RoundTrip", "A value is returned as it was written, the empty one too.", roundTrip},
		{"Store/Expiry", "A value is stale when its TTL ends and gone when its Stale time does.", expiry},
		{"Store/Delete", "A deleted key has no entry, on any node; Delete counts those that had.", deletes},
		{"Store/GetMany", "GetMany returns the entries that exist, and no other.", getMany},
		{"Store/OnlyIfAbsent", "OnlyIfAbsent writes nothing over a fresh value.", onlyIfAbsent},
		{"Store/IfVersion", "IfVersion writes over that version alone; Keep keeps its times and tags.", ifVersion},
		{"Store/Tags", "After InvalidateTags no entry with such a tag is readable, and all others are.", tags},
		{"Store/LeaseIsExclusive", "One load lease per key is granted until it ends.", leaseIsExclusive},
		{"Store/LeaseLapses", "A load lease that nobody ends lapses.", leaseLapses},
		{"Store/LeaseEndsWithChange", "Set, Delete and InvalidateTags keep a running load from storing.", leaseEndsWithChange},
		{"Store/Touch", "Touch sets how long an entry is fresh.", touch},
		{"Store/Keys", "Keys and Purge concern the keys with the prefix, whatever characters they have.", keys},
		{"Store/Refusals", "Bad requests are refused and change nothing.", refusals},
		{"Store/Close", "After Close every call reports ErrClosed; a second Close is nil.", closes},
	}
}

func put(t TB, s cache.Store, key, value string, change ...func(*cache.Write)) cache.Version {
	t.Helper()
	w := cache.Write{Key: key, Value: []byte(value), WriteOptions: cache.WriteOptions{TTL: time.Hour, Format: "test"}}
	for _, f := range change {
		f(&w)
	}
	v, err := s.Set(t.Context(), w)
	check(t, err, "Set %q", key)
	return v[0]
}

// value returns the fresh value of key, "" for an empty one and "-" for none.
func value(t TB, s cache.Store, key string) string {
	t.Helper()
	e, err := s.Get(t.Context(), key)
	if errors.Is(err, cache.ErrNotFound) || err == nil && !e.Fresh() {
		return "-"
	}
	check(t, err, "Get %q", key)
	return string(e.Value)
}

func want(t TB, s cache.Store, key, value_ string) {
	t.Helper()
	if got := value(t, s, key); got != value_ {
		t.Errorf("%q has %q, want %q", key, got, value_)
	}
}

func roundTrip(t TB, b Backend) {
	s, other := b.Node(t), b.Node(t)
	for _, v := range []string{"", "x", "\x00\xff{}", strings.Repeat("long ", 10_000)} {
		version := put(t, s, "k", v)
		for _, node := range []cache.Store{s, other} {
			e, err := node.Get(t.Context(), "k")
			check(t, err, "Get")
			if string(e.Value) != v || e.Version != version || e.Format != "test" || e.Absent {
				t.Errorf("wrote %.20q as %v, read %.20q as %v in %q", v, version, e.Value, e.Version, e.Format)
			}
			if e.TTL > time.Hour || e.TTL < time.Hour-time.Minute || e.Life < e.TTL || e.Age > time.Minute {
				t.Errorf("TTL %v, Life %v, Age %v", e.TTL, e.Life, e.Age)
			}
		}
	}
	before := put(t, s, "k", "same")
	if again := put(t, s, "k", "same"); again == before || again == (cache.Version{}) {
		t.Errorf("two writes have versions %v and %v", before, again)
	}
	v := []byte("mine")
	_, err := s.Set(t.Context(), cache.Write{Key: "k", Value: v, WriteOptions: cache.WriteOptions{TTL: cache.Forever, Absent: true}})
	check(t, err, "Set")
	copy(v, "your")
	e, err := other.Get(t.Context(), "k")
	check(t, err, "Get")
	if !bytes.Equal(e.Value, []byte("mine")) || !e.Absent || e.TTL != cache.Forever {
		t.Errorf("got %q, absent %v, TTL %v", e.Value, e.Absent, e.TTL)
	}
}

func deletes(t TB, b Backend) {
	s, other := b.Node(t), b.Node(t)
	put(t, s, "a", "1", func(w *cache.Write) { w.Stale = time.Hour })
	put(t, s, "b", "2")
	n, err := other.Delete(t.Context(), "a", "b", "c")
	check(t, err, "Delete")
	if n != 2 {
		t.Errorf("deleted %d, want 2", n)
	}
	for _, key := range []string{"a", "b"} {
		if _, err := s.Get(t.Context(), key); !errors.Is(err, cache.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", key, err)
		}
	}
}

func getMany(t TB, b Backend) {
	s := b.Node(t)
	var all []string
	for i := range 300 {
		key := strings.Repeat("k", i%7+1) + string(rune('A'+i%26)) + strings.Repeat("z", i/26)
		all = append(all, key)
		if i%3 != 0 {
			put(t, s, key, key)
		}
	}
	found, err := s.GetMany(t.Context(), all)
	check(t, err, "GetMany")
	for i, key := range all {
		e, ok := found[key]
		if ok != (i%3 != 0) || ok && string(e.Value) != key {
			t.Errorf("%q: found %v with %q", key, ok, e.Value)
		}
	}
	if none, err := s.GetMany(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("GetMany of nothing: %v, %v", none, err)
	}
}

func onlyIfAbsent(t TB, b Backend) {
	s := b.Node(t)
	absent := func(w *cache.Write) { w.OnlyIfAbsent = true }
	if v := put(t, s, "k", "first", absent); v == (cache.Version{}) {
		t.Errorf("refused where there is no entry")
	}
	if v := put(t, s, "k", "second", absent); v != (cache.Version{}) {
		t.Errorf("written over a value")
	}
	want(t, s, "k", "first")
	put(t, s, "k", "stale", func(w *cache.Write) { w.TTL, w.Stale = b.second(), time.Hour })
	time.Sleep(b.second() * 3 / 2)
	if v := put(t, s, "k", "third", absent); v == (cache.Version{}) {
		t.Errorf("refused over a stale value")
	}
	want(t, s, "k", "third")
}

func ifVersion(t TB, b Backend) {
	s := b.Node(t)
	first := put(t, s, "k", "1", func(w *cache.Write) { w.TTL, w.Tags = time.Minute, []string{"t"} })
	second := put(t, s, "k", "2", func(w *cache.Write) {
		w.IfVersion, w.Keep, w.Tags = first, true, nil
	})
	if second == (cache.Version{}) {
		t.Fatalf("refused over its own version")
	}
	if v := put(t, s, "k", "3", func(w *cache.Write) { w.IfVersion = first }); v != (cache.Version{}) {
		t.Errorf("written over another version")
	}
	e, err := s.Get(t.Context(), "k")
	check(t, err, "Get")
	if string(e.Value) != "2" || e.TTL > time.Minute || !slices.Equal(e.Tags, []string{"t"}) {
		t.Errorf("value %q, TTL %v, tags %v", e.Value, e.TTL, e.Tags)
	}
	check(t, s.(cache.TagInvalidator).InvalidateTags(t.Context(), "t"), "InvalidateTags")
	if v := put(t, s, "k", "4", func(w *cache.Write) { w.IfVersion = second }); v != (cache.Version{}) {
		t.Errorf("written over an invalidated version")
	}
	if v := put(t, s, "none", "1", func(w *cache.Write) { w.IfVersion = first }); v != (cache.Version{}) {
		t.Errorf("written where there is no entry")
	}
}

func tags(t TB, b Backend) {
	s, other := b.Node(t), b.Node(t)
	tagged := func(tags ...string) func(*cache.Write) { return func(w *cache.Write) { w.Tags = tags } }
	for i := range 20 { // on every line that there is
		key := "k" + string(rune('a'+i))
		put(t, s, key+"1", "v", tagged("red"))
		put(t, s, key+"2", "v", tagged("red", "blue"))
		put(t, s, key+"3", "v", tagged("blue"))
		put(t, s, key+"4", "v")
	}
	check(t, other.(cache.TagInvalidator).InvalidateTags(t.Context(), "red", "unknown"), "InvalidateTags")
	for i := range 20 {
		key := "k" + string(rune('a'+i))
		want(t, s, key+"1", "-")
		want(t, s, key+"2", "-")
		want(t, s, key+"3", "v")
		want(t, s, key+"4", "v")
		if v := put(t, s, key+"1", "new", tagged("red", "blue")); v == (cache.Version{}) {
			t.Errorf("refused under an invalidated tag")
		}
		want(t, other, key+"1", "new")
		want(t, s, key+"2", "-")
	}
}

func acquire(t TB, s cache.Store, ttl time.Duration, key string) cache.Grant {
	t.Helper()
	g, err := s.(cache.Leaser).Acquire(t.Context(), ttl, false, key)
	check(t, err, "Acquire %q", key)
	return g[0]
}

func fill(t TB, s cache.Store, l cache.Lease, value string, tags ...string) bool {
	t.Helper()
	v, err := s.(cache.Leaser).Fill(t.Context(), cache.Fill{Lease: l, Write: cache.Write{
		Key: l.Key, Value: []byte(value), WriteOptions: cache.WriteOptions{TTL: time.Hour, Tags: tags},
	}})
	check(t, err, "Fill %q", l.Key)
	return v[0] != cache.Version{}
}

func leaseIsExclusive(t TB, b Backend) {
	s, other := b.Node(t), b.Node(t)
	g := acquire(t, s, time.Minute, "k")
	if g.Lease.Token == "" || g.Found {
		t.Fatalf("first: %+v", g)
	}
	if g := acquire(t, other, time.Minute, "k"); g.Lease.Token != "" || g.Busy <= 0 || g.Busy > time.Minute {
		t.Errorf("second: %+v, want it busy", g)
	}
	if fill(t, other, cache.Lease{Key: "k", Token: "forged"}, "forged") {
		t.Errorf("stored with a forged token")
	}
	check(t, s.(cache.Leaser).Release(t.Context(), g.Lease), "Release")
	next := acquire(t, other, time.Minute, "k")
	if next.Lease.Token == "" {
		t.Fatalf("not granted after Release")
	}
	if fill(t, s, g.Lease, "late") {
		t.Errorf("stored after Release")
	}
	if !fill(t, other, next.Lease, "loaded") {
		t.Errorf("refused with the lease")
	}
	if g := acquire(t, s, time.Minute, "k"); g.Lease.Token != "" || !g.Found || string(g.Entry.Value) != "loaded" {
		t.Errorf("after Fill: %+v", g)
	}
	forced, err := s.(cache.Leaser).Acquire(t.Context(), time.Minute, true, "k")
	check(t, err, "Acquire")
	if forced[0].Lease.Token == "" {
		t.Errorf("a forced lease was not granted over a fresh value")
	}
}

func leaseLapses(t TB, b Backend) {
	s := b.Node(t)
	g := acquire(t, s, b.second(), "k")
	time.Sleep(b.second() * 3 / 2)
	if fill(t, s, g.Lease, "late") {
		t.Errorf("stored after the lease lapsed")
	}
	if g := acquire(t, s, time.Minute, "k"); g.Lease.Token == "" {
		t.Errorf("not granted after it lapsed: %+v", g)
	}
}

func leaseEndsWithChange(t TB, b Backend) {
	s, other := b.Node(t), b.Node(t)
	changes := map[string]func(key string) error{
		"Set": func(key string) error {
			put(t, other, key, "set")
			return nil
		},
		"Delete": func(key string) error { _, err := other.Delete(t.Context(), key); return err },
		"InvalidateTags": func(string) error {
			return other.(cache.TagInvalidator).InvalidateTags(t.Context(), "tag")
		},
	}
	for name, change := range changes {
		g := acquire(t, s, time.Minute, name)
		check(t, change(name), "%s", name)
		if fill(t, s, g.Lease, "loaded before", "tag", "more") {
			t.Errorf("%s: an older value was stored", name)
		}
	}
	g := acquire(t, s, time.Minute, "fresh")
	if !fill(t, s, g.Lease, "loaded after", "tag", "more") {
		t.Errorf("refused although the tag was invalidated before the load")
	}
}

func keys(t TB, b Backend) {
	s := b.Node(t)
	odd := []string{"*", "?", "[a]", "{x}", "a b", `\`, "a:b", "a/b", "\n", "%", "ü", "a"}
	for _, k := range odd {
		put(t, s, "p/"+k, k)
		put(t, s, "pp/"+k, k)
		put(t, s, "*/"+k, k)
	}
	list := func(prefix string) (got []string) {
		for key, err := range s.(cache.Lister).Keys(t.Context(), prefix) {
			check(t, err, "Keys")
			got = append(got, key)
		}
		slices.Sort(got)
		return got
	}
	var wanted []string
	for _, k := range odd {
		wanted = append(wanted, "p/"+k)
		want(t, s, "p/"+k, k)
	}
	slices.Sort(wanted)
	if got := list("p/"); !slices.Equal(got, wanted) {
		t.Errorf("Keys: %q, want %q", got, wanted)
	}
	if got := list("*/"); len(got) != len(odd) {
		t.Errorf("Keys of */: %q", got)
	}
	check(t, s.(cache.Lister).Purge(t.Context(), "p/"), "Purge")
	for _, k := range odd {
		want(t, s, "p/"+k, k)
		want(t, s, "pp/"+k, k)
	}
}

func refusals(t TB, b Backend) {
	s := b.Node(t)
	for _, w := range []cache.Write{
		{Key: "", WriteOptions: cache.WriteOptions{TTL: time.Hour}},
		{Key: strings.Repeat("k", cache.MaxKey+1), WriteOptions: cache.WriteOptions{TTL: time.Hour}},
		{Key: "k"},
		{Key: "k", WriteOptions: cache.WriteOptions{TTL: time.Hour, Stale: -1}},
		{Key: "k", WriteOptions: cache.WriteOptions{TTL: time.Hour, Tags: []string{""}}},
		{Key: "k", WriteOptions: cache.WriteOptions{TTL: time.Hour, Keep: true}},
	} {
		if _, err := s.Set(t.Context(), w); err == nil {
			t.Errorf("%+v is accepted", w)
		}
	}
	want(t, s, "k", "-")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Set(ended, cache.Write{Key: "k", WriteOptions: cache.WriteOptions{TTL: time.Hour}}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a ctx that ended: %v", err)
	}
	want(t, s, "k", "-")
}

func closes(t TB, b Backend) {
	s := b.Node(t)
	check(t, s.Close(t.Context()), "Close")
	check(t, s.Close(t.Context()), "second Close")
	_, get := s.Get(t.Context(), "k")
	_, many := s.GetMany(t.Context(), []string{"k"})
	_, set := s.Set(t.Context(), cache.Write{Key: "k", WriteOptions: cache.WriteOptions{TTL: time.Hour}})
	_, del := s.Delete(t.Context(), "k")
	for op, err := range map[string]error{"Get": get, "GetMany": many, "Set": set, "Delete": del} {
		if !errors.Is(err, cache.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", op, err)
		}
	}
}
