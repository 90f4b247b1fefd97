package workeridtest

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

var granting = []promise{
	{name: "Exclusive", says: "no number has two holders, however many ask at once", test: exclusive},
	{name: "FullRange", says: "a full range is refused with the holders and the first expiry", test: fullRange},
	{name: "SameToken", says: "a token that comes again gets its number again", test: sameToken},
	{name: "Zero", says: "number 0 is a number like any other", test: zero},
	{name: "Preferred", says: "a preferred number is given if it is free", test: preferred},
	{name: "Configuration", says: "another configuration is refused by name", test: configuration},
	{name: "ClockAhead", says: "a clock more than a day ahead is refused and leaves no trace", test: clockAhead},
	{name: "Holders", says: "who holds a number is listed, and nobody else", test: holders},
}

func exclusive(t T, s Server) {
	p := newPool(t, s, 8)
	results := make([]*holder, 2*8)
	errs := make([]error, len(results))
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i], errs[i] = p.try(p.request()) })
	}
	wg.Wait()
	seen := make(map[int]bool)
	for i, h := range results {
		switch {
		case errors.Is(errs[i], workerid.ErrExhausted):
		case errs[i] != nil:
			t.Errorf("acquire: %v", errs[i])
		case seen[h.ID] || h.ID < 0 || h.ID > 7:
			t.Errorf("number %d is outside 0 to 7 or was given twice", h.ID)
		default:
			seen[h.ID] = true
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d numbers given, want 8", len(seen))
	}
}

func fullRange(t T, s Server) {
	p := newPool(t, s, 2)
	first := p.acquire()
	p.Elapse(10 * time.Millisecond)
	second := p.acquire()
	err := p.refused(workerid.ErrExhausted)
	full, ok := errors.AsType[*workerid.ExhaustedError](err)
	if !ok || len(full.Holders) != 2 || full.Count != 2 {
		t.Fatalf("error is %#v, want an *ExhaustedError with two holders", err)
	}
	for i, h := range []*holder{first, second} {
		if got := full.Holders[i]; got.ID != h.ID || got.Holder != h.token || got.Expires.UnixMilli() != h.Expires {
			t.Errorf("holder %d is %+v, want %d of %s until %d", i, got, h.ID, h.token, h.Expires)
		}
	}
	if full.FirstExpiry.UnixMilli() != first.Expires {
		t.Errorf("first expiry is %d, want %d", full.FirstExpiry.UnixMilli(), first.Expires)
	}
}

func sameToken(t T, s Server) {
	p := newPool(t, s, 2)
	r := p.request()
	once := p.acquire(r)
	r.Nonce, r.Wall = p.text("nonce"), r.Wall+7
	again := p.acquire(r)
	if again.ID != once.ID || again.Start != once.Start || again.Mark != once.Mark || again.Generation != once.Generation {
		t.Errorf("second grant is %+v, want %+v", again.Grant, once.Grant)
	}
	p.acquire() // fails if the repetition took a number
	once.renew(0)
}

func zero(t T, s Server) {
	p := newPool(t, s, 1)
	for range 3 {
		h := p.acquire()
		if h.ID != 0 {
			t.Fatalf("number is %d, want 0", h.ID)
		}
		h.renew(0)
		h.release(0)
		h.lost("after its release")
	}
}

func preferred(t T, s Server) {
	p := newPool(t, s, 8)
	r := p.request()
	r.Preferred = 5
	if h := p.acquire(r); h.ID != 5 {
		t.Errorf("number is %d, want the preferred 5", h.ID)
	}
	r = p.request()
	r.Preferred = 5
	if h := p.acquire(r); h.ID == 5 {
		t.Errorf("a number that is held was given to one who prefers it")
	}
}

func configuration(t T, s Server) {
	p := newPool(t, s, 2)
	h := p.acquire()
	other := options(2)
	other.Layout, other.Skew = "another", 30*time.Millisecond
	var err error
	if p.terms, err = other.Terms(); err != nil {
		t.Fatalf("options: %v", err)
	}
	text := p.refused(workerid.ErrConfigMismatch).Error()
	for _, field := range []string{"layout", "skew"} {
		if !strings.Contains(text, field) {
			t.Errorf("error %q does not name %s", text, field)
		}
	}
	if strings.Contains(text, "count") {
		t.Errorf("error %q names count, which is the same", text)
	}
	if err := h.tryRenew(0); !errors.Is(err, workerid.ErrConfigMismatch) {
		t.Errorf("renew with another configuration: %v", err)
	}
}

func clockAhead(t T, s Server) {
	p := newPool(t, s, 1)
	r := p.request()
	r.Wall += (workerid.Poisoned + time.Hour).Milliseconds()
	p.refused(workerid.ErrClockAhead, r)
	if h := p.acquire(); h.Mark > wall()+time.Hour.Milliseconds() || h.Generation != 1 {
		t.Errorf("after the refusal the number is marked up to %d in generation %d", h.Mark, h.Generation)
	}
}

func holders(t T, s Server) {
	p := newPool(t, s, 4)
	p.acquire()
	p.expire()
	kept := p.acquire()
	p.acquire().release(0)
	list, err := p.Backend.Holders(t.Context())
	if err != nil {
		t.Fatalf("holders: %v", err)
	}
	if len(list) != 1 {
		t.Fatalf("holders are %+v, want the one of number %d", list, kept.ID)
	}
	got := list[0]
	if got.ID != kept.ID || got.Holder != kept.token || got.Generation != kept.Generation ||
		got.Start.UnixMilli() != kept.Start || got.Mark.UnixMilli() != kept.Mark || got.Expires.UnixMilli() != kept.Expires {
		t.Errorf("holder is %+v, want %+v of %s", got, kept.Grant, kept.token)
	}
}
