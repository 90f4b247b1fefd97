package lockredis

import (
	"testing"
	"time"
)

// proofs plays a wait of the given length in which the server answers every
// question at once, and returns when it was asked.
func proofs(p *pulse, from time.Time, wait time.Duration) (at []time.Duration) {
	p.relied(from, from, from.Add(wait))
	for {
		next, _ := p.due(from)
		next = later(next, from)
		if _, relied := p.due(next); !relied {
			return at
		}
		at = append(at, next.Sub(from))
		p.beat(next, false)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// A wait asks at its begin, soon while it is young, and never leaves more than a
// quarter of its time unproven; a wait of hours costs next to nothing.
func TestPulseSlowsDown(t *testing.T) {
	p, start := newPulse(), time.Now()
	p.beat(start.Add(-time.Hour), true)
	at := proofs(p, start, time.Hour)
	if at[0] != 0 {
		t.Errorf("the first proof after %v, want at once", at[0])
	}
	for i := range at[1:] {
		if silent := at[i+1] - at[i]; silent > max(leastSilence, at[i]/partSilence) {
			t.Errorf("%v unproven after %v", silent, at[i])
		}
	}
	if len(at) > 45 {
		t.Errorf("%d proofs in an hour", len(at))
	}
}

// News makes the next proofs frequent again, as does a new wait beside an old one.
func TestPulseAfterNews(t *testing.T) {
	p, start := newPulse(), time.Now()
	proofs(p, start, time.Hour)
	for name, news := range map[string]func(now time.Time){
		"event": func(now time.Time) { p.beat(now, true) },
		"wait":  func(now time.Time) { p.relied(now, now, now.Add(time.Minute)) },
	} {
		now := start.Add(time.Hour)
		p.beat(now, false)
		news(now)
		if at, relied := p.due(now); name == "event" == relied || at.Sub(now) > leastSilence {
			t.Errorf("%s: the next proof after %v, relied %v", name, at.Sub(now), relied)
		}
	}
}

// Who waits again although the token was in the queue brings no news.
func TestPulsePolls(t *testing.T) {
	p, start := newPulse(), time.Now()
	p.relied(start, start, start.Add(longestPoll))
	polled := start.Add(longestPoll - time.Millisecond)
	p.beat(polled, false)
	p.relied(polled, time.Time{}, polled.Add(longestPoll))
	if at, _ := p.due(polled); at.Sub(polled) < time.Second {
		t.Errorf("a poll was taken for a new wait: the next proof after %v", at.Sub(polled))
	}
}

// A holder with waiters of its own is never deaf for longer than those elsewhere
// take to ask, however long it goes on.
func TestPulseOfHolder(t *testing.T) {
	p, start := newPulse(), time.Now()
	p.beat(start, true)
	for passed := time.Duration(0); passed < time.Hour; passed += time.Second {
		now := start.Add(passed)
		p.relied(now, now.Add(-partSilence*longestPoll), now.Add(longestPoll))
		at, relied := p.due(now)
		if !relied || at.Sub(now) > longestPoll+time.Second {
			t.Fatalf("after %v the next proof is %v away", passed, at.Sub(now))
		}
		if !at.After(now) {
			p.beat(now, false)
		}
	}
}
