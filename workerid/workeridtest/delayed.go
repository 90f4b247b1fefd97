package workeridtest

import "time"

// What the network holds back may arrive when its sender has long gone on.
var delayed = []promise{
	{name: "LateRelease", says: "a release that comes again after a loss of data lowers no mark", test: lateRelease, loses: true},
	{name: "LateRenewal", says: "a renewal that revives a holder late keeps clear of all that was promised since", test: lateRenewal, loses: true},
	{name: "LateAcquire", says: "a request for a number that comes again brings no earlier holder back", test: lateAcquire},
	{name: "LateAfterLoss", says: "nor does it after a loss of data", test: lateAfterLoss, loses: true},
	{name: "LateFresh", says: "the very first request, if it comes again after a loss of data, keeps the gap", test: lateFresh, loses: true},
}

// lateRelease has a renewal under way when the holder releases. It arrives after
// another has taken the number and the server has lost that.
func lateRelease(t T, s Server) {
	p := newPool(t, s, 1)
	before := p.acquire()
	late := before.renewal(before.Mark)
	before.known = append(before.known, late.Nonce)
	before.release(before.Start)
	holder := p.acquire()
	holder.renew(wall() + p.terms.Reach)
	p.Lose()
	_, _ = p.Backend.Renew(t.Context(), late)
	_ = before.tryRelease(before.Start)
	if after := p.stale(); after.Start < holder.Mark {
		t.Errorf("starts at %d, another holder may stamp up to %d", after.Start, holder.Mark)
	}
}

// lateRenewal revives a holder by a renewal that is older than its last one.
func lateRenewal(t T, s Server) {
	p := newPool(t, s, 1)
	opts := options(1)
	opts.MaxAhead = 600 * time.Millisecond // so that a window outlasts a lease
	var err error
	if p.terms, err = opts.Terms(); err != nil {
		t.Fatalf("options: %v", err)
	}
	h := p.acquire()
	late := h.renewal(0)
	p.Elapse(100 * time.Millisecond)
	h.renew(wall() + p.terms.Reach)
	p.Lose()
	_, _ = p.Backend.Renew(t.Context(), late)
	p.expire()
	if after := p.stale(); after.Start < h.Mark {
		t.Errorf("starts at %d, the holder before may stamp up to %d", after.Start, h.Mark)
	}
}

func lateAcquire(t T, s Server) {
	p := newPool(t, s, 1)
	r := p.request()
	before := p.acquire(r)
	p.expire()
	p.acquire()
	p.expire()
	_, _ = p.try(r)
	before.lost("whose number another has had meanwhile")
}

func lateAfterLoss(t T, s Server) {
	p := newPool(t, s, 1)
	r := p.request()
	before := p.acquire(r)
	p.expire()
	p.acquire()
	p.Lose()
	_, _ = p.try(r)
	before.lost("whose number another has had meanwhile")
}

func lateFresh(t T, s Server) {
	p := newPool(t, s, 2)
	r := p.request()
	holders := []*holder{p.acquire(r), p.acquire()}
	p.Elapse(time.Duration(p.terms.Gap+1) * time.Millisecond)
	for _, h := range holders {
		h.renew(wall() + p.terms.Reach)
	}
	p.Lose()
	_, _ = p.try(r)
	after := p.stale()
	for _, h := range holders {
		if after.ID == h.ID && after.Start < h.Mark {
			t.Errorf("starts at %d, the holder before may stamp up to %d", after.Start, h.Mark)
		}
	}
}
