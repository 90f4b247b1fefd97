package workeridtest

import (
	"time"

	"github.com/cohort-go/cohort/workerid"
)

var losing = []promise{
	{name: "Fresh", says: "the first holder of numbers never used begins at once", test: fresh},
	{name: "FreshOnce", says: "who comes later and says so has to keep the gap all the same", test: freshOnce},
	{name: "Gap", says: "after a loss of data new holders begin behind every mark that may be lost", test: gap, loses: true},
	{name: "GapEnds", says: "after the gap holders begin at once again", test: gapEnds, loses: true},
	{name: "Revived", says: "a holder whose record was lost renews within its lease", test: revived, loses: true},
	{name: "RevivedMark", says: "a revived holder keeps the mark that it was promised", test: revivedMark, loses: true},
	{name: "TooLate", says: "a holder whose record was lost does not renew after its lease", test: tooLate, loses: true},
	{name: "Replaced", says: "a holder whose lost number was given away cannot renew", test: replaced, loses: true},
}

func fresh(t T, s Server) {
	p := newPool(t, s, 2)
	for range 2 {
		r := p.request()
		if h := p.acquire(r); h.Start != r.Wall {
			t.Errorf("starts at %d, want its own clock %d", h.Start, r.Wall)
		}
	}
}

// stale is a request by one who does not know that there was a history.
func (p *pool) stale() *holder {
	r := p.request()
	r.Fresh = false
	return p.acquire(r)
}

func freshOnce(t T, s Server) {
	p := newPool(t, s, 2)
	first := p.stale()
	second := p.acquire()
	if floor := first.Time + p.terms.Reach; second.Start < floor {
		t.Errorf("starts at %d within the gap, want %d or later", second.Start, floor)
	}
}

func gap(t T, s Server) {
	p := newPool(t, s, 1)
	before := p.acquire()
	before.renew(wall() + p.terms.Reach)
	p.Lose()
	after := p.stale()
	if after.Start < before.Mark {
		t.Errorf("starts at %d, the holder before may stamp up to %d", after.Start, before.Mark)
	}
	if limit := after.Time + p.terms.Gap; after.Start > limit {
		t.Errorf("starts at %d, want %d at the latest", after.Start, limit)
	}
}

func gapEnds(t T, s Server) {
	p := newPool(t, s, 2)
	p.acquire()
	p.Lose()
	p.stale()
	p.Elapse(time.Duration(p.terms.Gap+1) * time.Millisecond)
	at := wall()
	if h := p.stale(); h.Start > at+20 {
		t.Errorf("starts at %d after the gap, want its own clock %d", h.Start, at)
	}
}

func revived(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	p.Lose()
	h.renew(wall() + p.terms.Reach)
	if h.Expires < h.Time+p.terms.TTL {
		t.Errorf("revived until %d, want %d", h.Expires, h.Time+p.terms.TTL)
	}
	p.refused(workerid.ErrExhausted)
}

func revivedMark(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	h.renew(wall() + 3000)
	promised := h.Mark
	p.Lose()
	h.renew(promised - 2000)
	if h.Mark < promised {
		t.Errorf("mark is %d, was promised %d", h.Mark, promised)
	}
	p.expire()
	if after := p.stale(); after.Start < promised {
		t.Errorf("successor starts at %d, the revived holder may stamp up to %d", after.Start, promised)
	}
}

func tooLate(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	p.Lose()
	p.Elapse(time.Duration(p.terms.TTL-2*p.terms.Skew) * time.Millisecond)
	h.lost("after its lease and a loss of data")
}

func replaced(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	p.Lose()
	other := p.stale()
	h.lost("after its number was given away")
	other.renew(0)
}
