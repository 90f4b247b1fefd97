package workeridtest

import (
	"errors"

	"github.com/cohort-go/cohort/workerid"
)

var releasing = []promise{
	{name: "MarkLowered", says: "after a release the next holder begins where the last one stopped", test: markLowered},
	{name: "MarkNotRaised", says: "a release does not move the mark forward", test: markNotRaised},
	{name: "ReleaseTwice", says: "a release can be repeated", test: releaseTwice},
	{name: "ReleaseByToken", says: "a holder that never learned its number can give it back", test: releaseByToken},
	{name: "ReleaseForeign", says: "nobody releases the number of another", test: releaseForeign},
}

func markLowered(t T, s Server) {
	p := newPool(t, s, 1)
	before := p.acquire()
	before.renew(wall() + 60_000)
	end := before.Start + 20
	before.release(end)
	r := p.request()
	r.Wall = before.Start - 1000
	if after := p.acquire(r); after.Start != end {
		t.Errorf("successor starts at %d, want %d", after.Start, end)
	}
}

func markNotRaised(t T, s Server) {
	p := newPool(t, s, 1)
	before := p.acquire()
	before.release(before.Mark + 60_000)
	r := p.request()
	r.Wall = before.Start
	if after := p.acquire(r); after.Start != before.Mark {
		t.Errorf("successor starts at %d, want the mark %d", after.Start, before.Mark)
	}
}

func releaseTwice(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	h.release(0)
	h.release(0)
	p.acquire()
	if err := h.tryRelease(0); !errors.Is(err, workerid.ErrLost) {
		t.Errorf("release of a number that passed on: %v, want ErrLost", err)
	}
	p.refused(workerid.ErrExhausted)
}

func releaseByToken(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	h.ID = -1
	h.release(0)
	p.acquire()
	h.release(0) // nothing is held by that token
	p.refused(workerid.ErrExhausted)
}

func releaseForeign(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	thief := *h
	thief.token = p.text("thief")
	if err := thief.tryRelease(0); !errors.Is(err, workerid.ErrLost) {
		t.Errorf("release by another: %v, want ErrLost", err)
	}
	p.refused(workerid.ErrExhausted)
	h.renew(0)
}
