package redisstream

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
)

// record is what a Reader told, in order: "e<data>" or "gap <reason> <missed>".
type record struct {
	mu    sync.Mutex
	log   []string
	fresh time.Time
	stale int
	runs  []string
	news  chan struct{}
}

func newRecord() *record { return &record{news: make(chan struct{}, 1)} }

func (r *record) events() Events {
	add := func(s string) {
		r.mu.Lock()
		r.log = append(r.log, s)
		r.mu.Unlock()
		r.notify()
	}
	return Events{
		Entries: func(entries []Entry) {
			for _, e := range entries {
				add("e" + string(e.Data))
			}
		},
		Gap: func(g Gap) { add(fmt.Sprintf("gap %v %d", g.Reason, g.Missed)) },
		Fresh: func(asked time.Time, _ Cursor) {
			r.mu.Lock()
			r.fresh = asked
			r.mu.Unlock()
			r.notify()
		},
		Stale:  func(error) { r.mu.Lock(); r.stale++; r.mu.Unlock(); r.notify() },
		Server: func(run string) { r.mu.Lock(); r.runs = append(r.runs, run); r.mu.Unlock() },
	}
}

func (r *record) notify() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// stales is how often Stale was told.
func (r *record) stales() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stale
}

// freshness is when the log was asked that was last proven to be followed.
func (r *record) freshness() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fresh
}

// await waits until ok holds for the log.
func (r *record) await(t *testing.T, ok func(log []string) bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		r.mu.Lock()
		log := slices.Clone(r.log)
		r.mu.Unlock()
		if ok(log) {
			return
		}
		select {
		case <-r.news:
		case <-limit:
			t.Fatalf("not within 20s; %d events, the last %q", len(log), log[max(len(log)-8, 0):])
		}
	}
}

func (r *record) want(t *testing.T, want ...string) {
	t.Helper()
	r.await(t, func(log []string) bool { return len(log) >= len(want) })
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.log, want) {
		t.Fatalf("got %q, want %q", r.log, want)
	}
}

func newStream(t *testing.T, c redis.UniversalClient, maxLen int64) *Stream {
	t.Helper()
	s, err := New(c, Options{Area: "test", Name: t.Name(), MaxLen: maxLen})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func start(t *testing.T, s *Stream, o ReaderOptions, r *record) *Reader {
	t.Helper()
	reader, err := NewReader(s, o, r.events())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reader.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := reader.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return reader
}

func appendAll(t *testing.T, s *Stream, data ...string) []Cursor {
	t.Helper()
	entries := make([][]byte, len(data))
	for i, d := range data {
		entries[i] = []byte(d)
	}
	places, err := s.Append(t.Context(), entries...)
	if err != nil {
		t.Fatal(err)
	}
	return places
}

func TestFollow(t *testing.T) {
	for _, tail := range []bool{false, true} {
		t.Run("tail "+strconv.FormatBool(tail), func(t *testing.T) {
			testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
				s, r := newStream(t, c, 0), newRecord()
				appendAll(t, s, "before")
				reader := start(t, s, ReaderOptions{Tail: tail}, r)
				places := appendAll(t, s, "1", "2", "3")
				appendAll(t, s, "4", "with\nline\x00 and more")
				r.want(t, "e1", "e2", "e3", "e4", "ewith\nline\x00 and more")
				if got := reader.Position(); got.N != places[2].N+2 || got.Base == 0 {
					t.Errorf("position %+v after the entry at %+v and two more", got, places[2])
				}
			})
		})
	}
}

func TestLostPushIsRepaired(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
		s, r := newStream(t, c, 0), newRecord()
		start(t, s, ReaderOptions{AuditIdle: 50 * time.Millisecond}, r)
		silent := *s
		silent.push = s.push + "-elsewhere"
		appendAll(t, s, "1")
		appendAll(t, &silent, "2", "3")
		appendAll(t, s, "4")
		appendAll(t, &silent, "5")
		r.want(t, "e1", "e2", "e3", "e4", "e5")
	})
}

func TestTrimmedEntriesAreAGapInTheirPlace(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
		s, r := newStream(t, c, 0), newRecord()
		reader := start(t, s, ReaderOptions{AuditIdle: time.Hour, AuditBusy: time.Hour}, r)
		silent := *s
		silent.push = s.push + "-elsewhere"
		appendAll(t, s, "1")
		r.want(t, "e1")
		places := appendAll(t, &silent, "2", "3", "4")
		for _, p := range places[:2] {
			if err := c.XDel(t.Context(), s.log, p.ID.String()).Err(); err != nil {
				t.Fatal(err)
			}
		}
		reader.Audit()
		r.want(t, "e1", "gap trimmed 2", "e4")
	})
}

func TestFlushIsAReset(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
		s, r := newStream(t, c, 0), newRecord()
		start(t, s, ReaderOptions{AuditIdle: 50 * time.Millisecond}, r)
		appendAll(t, s, "1", "2")
		r.want(t, "e1", "e2")
		if err := c.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		appendAll(t, s, "3")
		appendAll(t, s, "4")
		r.want(t, "e1", "e2", "gap reset -1", "e3", "e4")
	})
}

func TestForeignEntriesAreSkipped(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
		s, r := newStream(t, c, 0), newRecord()
		reader := start(t, s, ReaderOptions{AuditIdle: 50 * time.Millisecond}, r)
		foreign := func() {
			for range 200 {
				if err := c.XAdd(t.Context(), &redis.XAddArgs{Stream: s.log, Values: []string{"x", "y"}}).Err(); err != nil {
					t.Fatal(err)
				}
			}
		}
		silent := *s
		silent.push = s.push + "-elsewhere"
		foreign()
		appendAll(t, &silent, "1")
		foreign()
		appendAll(t, s, "2")
		r.want(t, "e1", "e2")
		if reader.Foreign() == 0 {
			t.Error("no foreign entry was counted")
		}
	})
}

func TestFollowerReadsPages(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
		s := newStream(t, c, 0)
		var want []string
		var third Cursor
		for i := range 500 {
			place := appendAll(t, s, strconv.Itoa(i))[0]
			if i == 2 {
				third = place
			}
			want = append(want, "e"+strconv.Itoa(i))
		}
		for _, tt := range []struct {
			from Cursor
			want []string
		}{{Cursor{}, want}, {third, want[3:]}} {
			r := newRecord()
			f := s.Follow(tt.from, r.events())
			for more := true; more; {
				var err error
				if more, err = f.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			r.want(t, tt.want...)
		}
	})
}

func TestCutConnectionsLoseNothing(t *testing.T) {
	server := testenv.Redis(t)
	proxy := testenv.NewProxy(t, server.Addr())
	direct := server.Client(t)
	via := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = via.Close() })
	r := newRecord()
	start(t, newStream(t, via, 0), ReaderOptions{}, r)
	s := newStream(t, direct, 0)
	var want []string
	for i := range 2000 {
		if i%100 == 50 {
			proxy.Reset()
		}
		if i%100 == 0 {
			proxy.CutAfterReplies(7)
		}
		appendAll(t, s, strconv.Itoa(i))
		want = append(want, "e"+strconv.Itoa(i))
		if i%20 == 0 {
			time.Sleep(5 * time.Millisecond) // spreads the cuts over reconnects
		}
	}
	r.want(t, want...)
	if r.stales() == 0 {
		t.Error("Stale was never told")
	}
}

func TestHalfOpenConnectionIsReplaced(t *testing.T) {
	server := testenv.Redis(t)
	proxy := testenv.NewProxy(t, server.Addr())
	via := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = via.Close() })
	r := newRecord()
	start(t, newStream(t, via, 0), ReaderOptions{AuditIdle: 100 * time.Millisecond}, r)
	s := newStream(t, server.Client(t), 0)
	appendAll(t, s, "1")
	r.want(t, "e1")
	proxy.Hole(testenv.Both)
	appendAll(t, s, "2")
	before := r.stales()
	r.await(t, func([]string) bool { return r.stales() > before }) // a question fails in the hole
	proxy.Reset()
	proxy.Pass()
	appendAll(t, s, "3")
	r.want(t, "e1", "e2", "e3")
}
