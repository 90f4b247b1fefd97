package cachetest

import (
	"context"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/cache"
)

// Mutant is a Store that breaks one promise, and the case that has to notice.
type Mutant struct {
	Name string
	Case string
	make func(m *cache.Memory) cache.Store
}

// Mutants returns at least one for each case of the suite that a Store can break.
func Mutants() []Mutant {
	return []Mutant{
		{"drops the last byte", "Store/RoundTrip", func(m *cache.Memory) cache.Store { return &cutValue{m} }},
		{"never expires", "Store/Expiry", func(m *cache.Memory) cache.Store { return &noExpiry{m} }},
		{"deletes nothing", "Store/Delete", func(m *cache.Memory) cache.Store { return &noDelete{m} }},
		{"GetMany loses one", "Store/GetMany", func(m *cache.Memory) cache.Store { return &losesOne{m} }},
		{"conditions are ignored", "Store/OnlyIfAbsent", func(m *cache.Memory) cache.Store { return &noConditions{m} }},
		{"versions are ignored", "Store/IfVersion", func(m *cache.Memory) cache.Store { return &noConditions{m} }},
		{"tags are ignored", "Store/Tags", func(m *cache.Memory) cache.Store { return &noTags{m} }},
		{"leases are shared", "Store/LeaseIsExclusive", func(m *cache.Memory) cache.Store { return &sharedLease{Memory: m} }},
		{"leases never lapse", "Store/LeaseLapses", func(m *cache.Memory) cache.Store { return &longLease{m} }},
		{"a fill needs no lease", "Store/LeaseEndsWithChange", func(m *cache.Memory) cache.Store { return &freeFill{m} }},
		{"Touch does nothing", "Store/Touch", func(m *cache.Memory) cache.Store { return &noTouch{m} }},
		{"the last byte of a prefix is a pattern", "Store/Keys", func(m *cache.Memory) cache.Store { return &looseKeys{m} }},
		{"everything is accepted", "Store/Refusals", func(m *cache.Memory) cache.Store { return &meek{m} }},
		{"works after Close", "Store/Close", func(m *cache.Memory) cache.Store { return &undead{m} }},
		{"changes are not told", "Cache/OtherNodes", func(m *cache.Memory) cache.Store { return newSilent(m) }},
		{"old loads are stored", "Cache/Races", func(m *cache.Memory) cache.Store { return &freeFill{m} }},
		{"changes are not told", "Cache/JoinsNoOldLoad", func(m *cache.Memory) cache.Store { return newSilent(m) }},
		{"every node may load", "Cache/OneLoad", func(m *cache.Memory) cache.Store { return &sharedLease{Memory: m} }},
		{"leases are not released", "Cache/LoaderFails", func(m *cache.Memory) cache.Store { return &keptLease{m} }},
		{"absence is forgotten", "Cache/Negative", func(m *cache.Memory) cache.Store { return &noAbsence{m} }},
		{"empty values are lost", "Cache/ZeroValues", func(m *cache.Memory) cache.Store { return &noFill{m} }},
		{"stale entries are dropped", "Cache/StaleFor", func(m *cache.Memory) cache.Store { return &noStale{m} }},
		{"stale entries are dropped", "Cache/FailSafe", func(m *cache.Memory) cache.Store { return &noStale{m} }},
		{"the lease is denied over a fresh value", "Cache/RefreshAhead", func(m *cache.Memory) cache.Store { return &noForce{m} }},
		{"conditions are ignored", "Cache/Update", func(m *cache.Memory) cache.Store { return &noConditions{m} }},
		{"Clear does nothing", "Cache/Prefixes", func(m *cache.Memory) cache.Store { return &noTags{m} }},
		{"fills over nothing only", "Cache/Corrupt", func(m *cache.Memory) cache.Store { return &noForce{m} }},
		{"GetMany loses one", "Cache/Many", func(m *cache.Memory) cache.Store { return &losesOne{m} }},
		{"TTLs are ignored", "Cache/LoadedEntry", func(m *cache.Memory) cache.Store { return &noExpiry{m} }},
		{"stale entries are dropped", "Cache/Lookup", func(m *cache.Memory) cache.Store { return &noStale{m} }},
	}
}

// RunMutants checks that the suite notices each mutant.
func RunMutants(t *testing.T) {
	cases := Cases()
	for _, m := range Mutants() {
		t.Run(m.Case+"/"+m.Name, func(t *testing.T) {
			i := slices.IndexFunc(cases, func(c Case) bool { return c.Name == m.Case })
			if i < 0 {
				t.Fatalf("there is no case %s", m.Case)
			}
			var r *recorder
			synctest.Test(t, func(t *testing.T) { r = m.run(t, cases[i]) })
			if len(r.failures) == 0 {
				t.Errorf("nobody noticed")
			}
		})
	}
}

func (m Mutant) run(t *testing.T, c Case) *recorder {
	ctx, cancel := context.WithCancel(t.Context())
	r := &recorder{ctx: ctx}
	memory, err := cache.NewMemory(cache.MemoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	store := m.make(memory)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.test(r, Backend{Node: func(TB) cache.Store { return store }})
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		r.Errorf("never ended")
	}
	cancel()
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	_ = memory.Close(context.Background())
	<-done
	return r
}

// recorder is a TB that keeps failures to itself.
type recorder struct {
	ctx context.Context // that of a test

	mu       sync.Mutex
	failures []string
	cleanups []func()
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Logf(string, ...any)      {}

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

func (r *recorder) Errorf(format string, _ ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, format)
}

func (r *recorder) Fatalf(format string, _ ...any) {
	r.Errorf(format)
	runtime.Goexit()
}

type cutValue struct{ *cache.Memory }

func (s *cutValue) Set(ctx context.Context, writes ...cache.Write) ([]cache.Version, error) {
	for i := range writes {
		writes[i].Value = writes[i].Value[:max(len(writes[i].Value)-1, 0)]
	}
	return s.Memory.Set(ctx, writes...)
}

func forever(w *cache.Write) { w.TTL = max(w.TTL, time.Hour) }

type noExpiry struct{ *cache.Memory }

func (s *noExpiry) Set(ctx context.Context, writes ...cache.Write) ([]cache.Version, error) {
	for i := range writes {
		if writes[i].TTL > 0 {
			forever(&writes[i])
		}
	}
	return s.Memory.Set(ctx, writes...)
}

func (s *noExpiry) Fill(ctx context.Context, fills ...cache.Fill) ([]cache.Version, error) {
	for i := range fills {
		forever(&fills[i].Write)
	}
	v, err := s.Memory.Fill(ctx, fills...)
	for i := range fills { // the caller keeps its copy for as long
		if s.Memory != nil && len(v) > i {
			_, _ = s.Touch(ctx, fills[i].Key, time.Hour)
		}
	}
	return v, err
}

type noDelete struct{ *cache.Memory }

func (s *noDelete) Delete(_ context.Context, keys ...string) (int, error) { return len(keys), nil }

type losesOne struct{ *cache.Memory }

func (s *losesOne) GetMany(ctx context.Context, keys []string) (map[string]cache.Entry, error) {
	found, err := s.Memory.GetMany(ctx, keys)
	for key := range found {
		delete(found, key)
		break
	}
	return found, err
}

type noConditions struct{ *cache.Memory }

func (s *noConditions) Set(ctx context.Context, writes ...cache.Write) ([]cache.Version, error) {
	for i := range writes {
		writes[i].OnlyIfAbsent, writes[i].Keep, writes[i].IfVersion = false, false, cache.Version{}
	}
	time.Sleep(time.Microsecond) // others come between
	return s.Memory.Set(ctx, writes...)
}

type noTags struct{ *cache.Memory }

func (s *noTags) InvalidateTags(context.Context, ...string) error { return nil }

type sharedLease struct {
	*cache.Memory
	mu    sync.Mutex
	lease map[string]cache.Lease
}

func (s *sharedLease) Acquire(ctx context.Context, ttl time.Duration, force bool, keys ...string) ([]cache.Grant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	grants, err := s.Memory.Acquire(ctx, ttl, force, keys...)
	if s.lease == nil {
		s.lease = make(map[string]cache.Lease)
	}
	for i := range grants {
		g := &grants[i]
		if g.Lease.Token != "" {
			s.lease[g.Lease.Key] = g.Lease
		} else if g.Busy > 0 {
			g.Lease, g.Busy = s.lease[g.Lease.Key], 0
		}
	}
	return grants, err
}

type longLease struct{ *cache.Memory }

func (s *longLease) Acquire(ctx context.Context, ttl time.Duration, force bool, keys ...string) ([]cache.Grant, error) {
	return s.Memory.Acquire(ctx, ttl+time.Hour, force, keys...)
}

type freeFill struct{ *cache.Memory }

func (s *freeFill) Fill(ctx context.Context, fills ...cache.Fill) ([]cache.Version, error) {
	writes := make([]cache.Write, len(fills))
	for i := range fills {
		writes[i] = fills[i].Write
	}
	return s.Memory.Set(ctx, writes...)
}

type noTouch struct{ *cache.Memory }

func (s *noTouch) Touch(context.Context, string, time.Duration) (bool, error) { return true, nil }

type looseKeys struct{ *cache.Memory }

func (s *looseKeys) Keys(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return s.Memory.Keys(ctx, strings.TrimRight(prefix, "*/"))
}

type meek struct{ *cache.Memory }

func (s *meek) Set(ctx context.Context, writes ...cache.Write) ([]cache.Version, error) {
	for i := range writes {
		if cache.CheckWrite(&writes[i]) != nil {
			return make([]cache.Version, len(writes)), nil //nolint:nilerr // that is what is wrong with it
		}
	}
	return s.Memory.Set(ctx, writes...)
}

type undead struct{ *cache.Memory }

func (s *undead) Close(context.Context) error { return nil }

// silent tells its caches nothing, and that they have missed nothing.
type silent struct {
	*cache.Memory
	feed *cache.Feed
}

func newSilent(m *cache.Memory) *silent {
	s := &silent{m, cache.NewFeed(1)}
	line := s.feed.Lines()[0]
	line.Restart(0)
	line.Prove(time.Now().Add(24*time.Hour), 0)
	return s
}

func (s *silent) Feed() *cache.Feed { return s.feed }

type keptLease struct{ *cache.Memory }

func (s *keptLease) Release(context.Context, ...cache.Lease) error { return nil }

type noAbsence struct{ *cache.Memory }

func (s *noAbsence) Fill(ctx context.Context, fills ...cache.Fill) ([]cache.Version, error) {
	if fills[0].Absent {
		return make([]cache.Version, len(fills)), nil
	}
	return s.Memory.Fill(ctx, fills...)
}

type noFill struct{ *cache.Memory }

func (s *noFill) Fill(_ context.Context, fills ...cache.Fill) ([]cache.Version, error) {
	return make([]cache.Version, len(fills)), nil
}

type noStale struct{ *cache.Memory }

func (s *noStale) Set(ctx context.Context, writes ...cache.Write) ([]cache.Version, error) {
	v, err := s.Memory.Set(ctx, writes...)
	for i := range writes { // in the caches too
		writes[i].Stale = 0
	}
	_, _ = s.Memory.Set(ctx, writes...)
	return v, err
}

type noForce struct{ *cache.Memory }

func (s *noForce) Acquire(ctx context.Context, ttl time.Duration, _ bool, keys ...string) ([]cache.Grant, error) {
	return s.Memory.Acquire(ctx, ttl, false, keys...)
}
