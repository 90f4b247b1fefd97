package workeridtest

import "time"

var renewing = []promise{
	{name: "MarkGrows", says: "a renewal moves the mark forward, never back", test: markGrows},
	{name: "MarkKept", says: "a mark counts for the successor even if the reply got lost", test: markKept},
	{name: "LostReply", says: "a renewal whose reply got lost can be repeated", test: lostReply},
	{name: "Copy", says: "of two copies of a holder only one can renew", test: copied},
	{name: "Late", says: "a lease that ran out is renewed while nobody took the number", test: late},
}

func markGrows(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	high := h.Mark + 3000
	h.renew(high)
	if h.Mark != high {
		t.Errorf("mark is %d, want %d", h.Mark, high)
	}
	h.renew(high - 2000)
	if h.Mark != high {
		t.Errorf("mark went back to %d from %d", h.Mark, high)
	}
}

func markKept(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	r := h.renewal(h.Mark + 3000)
	if _, err := p.Backend.Renew(t.Context(), r); err != nil { // the holder does not see it
		t.Fatalf("renew: %v", err)
	}
	p.expire()
	if after := p.acquire(); after.Start < r.Want {
		t.Errorf("successor starts at %d, the server promised up to %d", after.Start, r.Want)
	}
}

func lostReply(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	for range 2 {
		unseen := h.renewal(0)
		if _, err := p.Backend.Renew(t.Context(), unseen); err != nil {
			t.Fatalf("renew: %v", err)
		}
		if _, err := p.Backend.Renew(t.Context(), unseen); err != nil {
			t.Errorf("the same renewal again: %v", err)
		}
		h.known = append(h.known, unseen.Nonce)
	}
	h.renew(0)
}

func copied(t T, s Server) {
	p := newPool(t, s, 1)
	original := p.acquire()
	double := *original
	original.renew(0)
	double.lost("by a copy")
	if err := double.tryRelease(0); err == nil {
		t.Errorf("a copy released the number of the original")
	}
	original.renew(0)
}

func late(t T, s Server) {
	p := newPool(t, s, 1)
	h := p.acquire()
	p.expire()
	h.renew(0)
	p.Elapse(time.Millisecond)
	if next, err := p.try(p.request()); err == nil && next.Time < h.Expires {
		t.Errorf("the number passed on at %d although it was renewed until %d", next.Time, h.Expires)
	}
}
