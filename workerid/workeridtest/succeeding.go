package workeridtest

import (
	"time"

	"github.com/cohort-go/cohort/workerid"
)

var succeeding = []promise{
	{name: "Successor", says: "the next holder begins where the mark is, whatever its clock", test: successor},
	{name: "NotYet", says: "a number passes on only after its lease", test: notYet},
	{name: "Taken", says: "the old holder cannot renew a number that passed on", test: taken},
	{name: "Oldest", says: "the number whose lease ended longest ago comes first", test: oldest},
	{name: "Generation", says: "the generation grows by one with each holder", test: generation},
	{name: "Poisoned", says: "a mark more than a day ahead makes nobody wait for it", test: poisonedMark},
}

func successor(t T, s Server) {
	p := newPool(t, s, 1)
	before := p.acquire()
	before.renew(wall() + 5000)
	p.expire()
	r := p.request()
	r.Wall -= time.Hour.Milliseconds()
	after := p.acquire(r)
	if after.Start < before.Mark || after.Mark <= after.Start {
		t.Errorf("successor may stamp %d to %d, its predecessor up to %d", after.Start, after.Mark, before.Mark)
	}
}

// notYet compares times of the server, so that a slow machine proves nothing
// wrong.
func notYet(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	for range 3 {
		p.Elapse(time.Duration(p.terms.TTL*6/10) * time.Millisecond)
		if next, err := p.try(p.request()); err == nil && next.Time < h.Expires {
			t.Fatalf("number passed on at %d, its lease ends at %d", next.Time, h.Expires)
		} else if err == nil {
			return
		}
		before := h.Time
		h.renew(0)
		if h.Expires < before+p.terms.TTL {
			t.Errorf("renewed until %d, want %d or later", h.Expires, before+p.terms.TTL)
		}
	}
	p.expire()
	p.acquire()
}

func taken(t T, s Server) {
	p := newPool(t, s, 1)
	before := p.acquire()
	p.expire()
	after := p.acquire()
	before.lost("after another took it")
	if err := before.tryRelease(0); err == nil {
		t.Errorf("the old holder released a number that another has")
	}
	after.renew(0)
}

func oldest(t T, s Server) {
	p := newPool(t, s, 3)
	a, b, c := p.acquire(), p.acquire(), p.acquire()
	for _, h := range []*holder{b, c, a} {
		h.release(0)
		p.Elapse(5 * time.Millisecond)
	}
	for _, want := range []*holder{b, c, a} {
		if got := p.acquire(); got.ID != want.ID {
			t.Errorf("number is %d, want %d, which was given back first", got.ID, want.ID)
		}
	}
}

func generation(t T, s Server) {
	p := newPool(t, s, 1)
	for want := int64(1); want <= 3; want++ {
		h := p.acquire()
		if h.Generation != want {
			t.Errorf("generation is %d, want %d", h.Generation, want)
		}
		h.release(0)
	}
}

func poisonedMark(t T, s Server) {
	p := newPool(t, s, 2)
	bad := p.acquire()
	bad.renew(wall() + (workerid.Poisoned + time.Hour).Milliseconds())
	p.expire()
	good := p.acquire()
	if good.ID == bad.ID {
		t.Fatalf("the number with a mark a day ahead was given")
	}
	good.release(0)
	if again := p.acquire(); again.ID != good.ID {
		t.Errorf("number is %d, want %d", again.ID, good.ID)
	}
	p.refused(workerid.ErrClockBehind)
}
