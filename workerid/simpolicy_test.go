package workerid_test

import (
	"errors"

	"github.com/cohort-go/cohort/workerid"
)

// simTick is the tick of simulated IDs.
const simTick = 50

// leased is the policy of this package: the scripts on the server and the
// holder's own arithmetic are the real ones.
type leased struct {
	p       *process
	backend workerid.Backend
	terms   workerid.Terms
	node    *workerid.Node
	holding bool
	last    stamp
}

func (l *leased) begin() {
	l.node = workerid.NewNode(l.terms, l.p.wall, l.p.elapsed)
	l.ask()
}

func (l *leased) ask() {
	l.holding, l.last = false, stamp{}
	w := l.p.w
	req := l.node.Ask(w.text("token"), w.text("nonce"), w.rng.Uint32())
	if slot := w.rng.IntN(8); slot == 0 {
		req.Preferred = w.rng.IntN(simNumbers)
	}
	l.attempt(req, 3)
}

// attempt repeats a request whose reply is missing, as the backend does, and then
// gives it up.
func (l *leased) attempt(req workerid.AcquireRequest, left int) {
	var g workerid.Grant
	var err error
	l.p.call(300, func() {
		g, err = l.backend.Acquire(l.p.ctx(), req)
		l.p.w.notef("process %d acquires at %d: %+v %v", l.p.id, req.Wall, g, err)
	}, func() {
		if err != nil {
			l.p.w.after(l.p.w.between(50, 200), func() { l.p.do(l.ask) })
			return
		}
		l.node.Begin(g)
		l.last = stamp{g.ID, (g.Start+simTick-1)/simTick - 1, 0}
		l.holding = true
		l.schedule()
	}, func() {
		if left > 0 {
			l.attempt(req, left-1)
			return
		}
		abandon := l.node.Release(0)
		abandon.ID = -1
		l.p.call(300, func() { _ = l.backend.Release(l.p.ctx(), abandon) }, func() {}, func() {})
		l.ask()
	})
}

func (l *leased) schedule() {
	every := l.p.w.between(simRenew*9/10, simRenew*11/10)
	l.again(min(every, max(l.node.Spare(), 0)))
}

func (l *leased) again(d int64) {
	token := l.node
	l.p.w.after(d, func() {
		l.p.do(func() {
			if l.holding && l.node == token {
				l.renew()
			}
		})
	})
}

func (l *leased) renew() {
	req := l.node.Renewal(l.p.w.text("nonce"))
	var g workerid.Grant
	var err error
	l.p.call(200, func() {
		g, err = l.backend.Renew(l.p.ctx(), req)
		l.p.w.notef("process %d renews %d up to %d: %+v %v", l.p.id, req.ID, req.Want, g, err)
	}, func() {
		switch {
		case !l.holding: // released meanwhile: the answer does not count
		case errors.Is(err, workerid.ErrLost):
			l.ask()
		case err != nil:
			panic(err)
		default:
			l.node.Renewed(g, req)
			l.schedule()
		}
	}, func() {
		if l.holding {
			l.again(l.p.w.between(10, 60))
		}
	})
}

// stamp follows the rules of a generator: the clock moves the cursor forward, a
// full tick borrows from the next, and the window bounds it.
func (l *leased) stamp() (stamp, bool) {
	if !l.holding {
		return stamp{}, false
	}
	next := l.last.next()
	clock := l.node.Stamp()
	if tick := clock / simTick; tick > next.tick {
		next = stamp{l.last.number, tick, 0}
	}
	g := l.node.Granted()
	if next.tick*simTick < g.Start || (next.tick+1)*simTick > g.Mark || next.tick*simTick > clock+simAhead {
		return stamp{}, false
	}
	l.last = next
	return next, true
}

// next is the stamp after s: a tick has room for 16.
func (s stamp) next() stamp {
	if s.sequence++; s.sequence == 16 {
		s.tick, s.sequence = s.tick+1, 0
	}
	return s
}

// end releases the number, often with a renewal under way.
func (l *leased) end(gone func()) {
	if !l.holding {
		gone()
		return
	}
	if l.p.w.rng.IntN(2) == 0 {
		l.renew()
	}
	l.holding = false
	l.release(l.node.Release((l.last.tick+1)*simTick), 4, gone)
}

// release repeats a request whose reply is missing, as the backend does.
func (l *leased) release(req workerid.ReleaseRequest, left int, gone func()) {
	l.p.call(l.p.w.between(50, 300), func() {
		err := l.backend.Release(l.p.ctx(), req)
		l.p.w.notef("process %d releases %d at %d: %v", l.p.id, req.ID, req.End, err)
	}, gone, func() {
		if left > 0 {
			l.release(req, left-1, gone)
			return
		}
		gone()
	})
}

// expiring is the policy of a plain lease with a time to live. The holder stops
// when a renewal is refused, or when by its own monotonic clock the lease may
// have run out.
type expiring struct {
	p      *process
	server *expiringServer
	token  string
	until  int64 // by the process clock; 0 without a number
	clock  *workerid.Node
	last   stamp
}

type expiringServer struct {
	w     *world
	token map[int]string
	until map[int]int64
}

func (s *expiringServer) take(token string) (int, bool) {
	for id := range simNumbers {
		if s.until[id] <= s.w.now {
			s.token[id], s.until[id] = token, s.w.now+simTTL
			return id, true
		}
	}
	return 0, false
}

func (s *expiringServer) renew(id int, token string) bool {
	if s.token[id] != token || s.until[id] <= s.w.now {
		return false
	}
	s.until[id] = s.w.now + simTTL
	return true
}

func (e *expiring) begin() {
	e.clock = workerid.NewNode(workerid.Terms{}, e.p.wall, e.p.elapsed)
	e.ask()
}

func (e *expiring) ask() {
	e.until, e.last = 0, stamp{}
	e.token = e.p.w.text("token")
	sent := e.clock.Now()
	var id int
	var ok bool
	e.p.call(300, func() { id, ok = e.server.take(e.token) }, func() {
		if !ok {
			e.p.w.after(e.p.w.between(50, 200), func() { e.p.do(e.ask) })
			return
		}
		e.last = stamp{id, -1, 0}
		e.until = sent + simTTL
		e.again(simTTL / 3)
	}, e.ask)
}

func (e *expiring) again(d int64) {
	e.p.w.after(d, func() {
		e.p.do(func() {
			if e.until != 0 {
				e.renew()
			}
		})
	})
}

func (e *expiring) renew() {
	sent := e.clock.Now()
	var ok bool
	e.p.call(200, func() { ok = e.server.renew(e.last.number, e.token) }, func() {
		if !ok {
			e.ask()
			return
		}
		e.until = sent + simTTL
		e.again(simTTL / 3)
	}, func() { e.again(e.p.w.between(10, 60)) })
}

func (e *expiring) stamp() (stamp, bool) {
	now := e.clock.Now()
	if now >= e.until {
		return stamp{}, false
	}
	return follow(&e.last, now)
}

func (e *expiring) end(gone func()) {
	token, id := e.token, e.last.number
	if e.until != 0 {
		e.until = 0
		e.p.call(300, func() {
			if e.server.token[id] == token {
				e.server.until[id] = 0
			}
		}, func() {}, func() {})
	}
	gone()
}

// guessed is the policy of a number drawn at random.
type guessed struct {
	p     *process
	clock *workerid.Node
	last  stamp
}

func (g *guessed) begin() {
	g.clock = workerid.NewNode(workerid.Terms{}, g.p.wall, g.p.elapsed)
	g.last = stamp{g.p.w.rng.IntN(simNumbers), -1, 0}
}
func (g *guessed) stamp() (stamp, bool) { return follow(&g.last, g.clock.Now()) }
func (*guessed) end(gone func())        { gone() }

// follow is a generator without a window.
func follow(last *stamp, now int64) (stamp, bool) {
	next := last.next()
	if tick := now / simTick; tick > next.tick {
		next = stamp{last.number, tick, 0}
	}
	if next.tick*simTick > now+simAhead {
		return stamp{}, false
	}
	*last = next
	return next, true
}
