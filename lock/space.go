package lock

import (
	"slices"
	"time"
)

// maxPoll is how long a waiter relies on being told.
const maxPoll = 5 * time.Second

// record returns the record of c's name without what has expired.
func (sp *Space) record(c Claim, now time.Time) *record {
	at := place{c.Name, c.Permits > 0}
	r := sp.names[at]
	if r == nil {
		if len(sp.names) >= sp.sweep {
			sp.clean(now)
		}
		r = &record{}
		sp.names[at] = r
	}
	r.expire(now)
	return r
}

// forget removes the record of a name that nobody has or waits for.
func (sp *Space) forget(c Claim, r *record) {
	if len(r.grants) == 0 && len(r.queue) == 0 {
		delete(sp.names, place{c.Name, c.Permits > 0})
	}
}

// clean removes the names whose last grant has expired; each pass waits until
// as many names again have come.
func (sp *Space) clean(now time.Time) {
	for at, r := range sp.names {
		r.expire(now)
		if len(r.grants) == 0 && len(r.queue) == 0 {
			delete(sp.names, at)
		}
	}
	sp.sweep = max(64, 2*len(sp.names))
}

// serve grants to those who wait for as long as there is room, and passes over
// waiters whose process has gone.
func (sp *Space) serve(r *record, c Claim, now time.Time, after *notices) {
	for len(r.queue) > 0 && r.room(c) {
		next := r.queue[0]
		r.queue = slices.Delete(r.queue, 0, 1)
		events := sp.nodes[next.Token[:ProcessLen]]
		if events == nil {
			continue
		}
		g := sp.grant(r, next, now)
		if next.Token == c.Token {
			continue // the answer says it
		}
		event := Grant{
			Name: next.Name, Token: next.Token, Fence: g.fence, TTL: next.TTL,
			Waiters: len(r.queue), Permits: next.Permits,
		}
		*after = append(*after, func() { events.Granted(event) })
	}
}

// grant gives the name to c, with a fence above all others.
func (sp *Space) grant(r *record, c Claim, now time.Time) grant {
	sp.fence = max(sp.fence+1, uint64(max(now.UnixMicro(), 0)))
	g := grant{c.Token, sp.fence, now.Add(c.TTL)}
	r.grants = append(r.grants, g)
	return g
}

// join puts c in the queue unless it is there; the holder hears of the first.
func (sp *Space) join(r *record, c Claim, after *notices) {
	if slices.ContainsFunc(r.queue, func(q Claim) bool { return q.Token == c.Token }) {
		return
	}
	r.queue = append(r.queue, c)
	if len(r.queue) > 1 || len(r.grants) == 0 {
		return
	}
	holder := r.grants[0].token
	if events := sp.nodes[holder[:ProcessLen]]; events != nil {
		*after = append(*after, func() { events.Contended(holder) })
	}
}

func (r *record) room(c Claim) bool { return len(r.grants) < max(c.Permits, 1) }

func (r *record) granted(token string) *grant {
	for i := range r.grants {
		if r.grants[i].token == token {
			return &r.grants[i]
		}
	}
	return nil
}

// drop takes the grant of token back and reports whether there was one.
func (r *record) drop(token string) bool {
	before := len(r.grants)
	r.grants = slices.DeleteFunc(r.grants, func(g grant) bool { return g.token == token })
	return len(r.grants) < before
}

// leave takes token from the queue.
func (r *record) leave(token string) {
	r.queue = slices.DeleteFunc(r.queue, func(q Claim) bool { return q.Token == token })
}

func (r *record) expire(now time.Time) {
	r.grants = slices.DeleteFunc(r.grants, func(g grant) bool { return !now.Before(g.ends) })
}

// poll says when the first grant ends.
func (r *record) poll(now time.Time) time.Duration {
	wait := maxPoll
	for _, g := range r.grants {
		wait = min(wait, g.ends.Sub(now)+time.Millisecond)
	}
	return wait
}

// notices are sent after the mutex of the Space is free.
type notices []func()

func (n *notices) send() {
	for _, f := range *n {
		f()
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
