package queuerabbit

import (
	"slices"
	"time"
)

// acksLater is how long an acknowledgement waits for those before it: then it goes
// alone. Waiting for all before it would stall behind one slow message.
const acksLater = 20 * time.Millisecond

// tags are the delivery tags of one channel, which the broker counts from 1.
type tags struct {
	first uint64 // tag of states[0]; all before it are settled
	state []tagState
	done  []tagDone // in the order of their ends
}

type tagState uint8

const (
	tagOpen tagState = iota
	tagDoneState
	tagSettled
)

type tagDone struct {
	tag uint64
	at  time.Time
}

// delivered notes a delivery. Those of several consumers of the channel may be told in
// another order than that of their tags.
func (t *tags) delivered(tag uint64) {
	t.first = max(t.first, 1)
	for t.first+uint64(len(t.state)) <= tag {
		t.state = append(t.state, tagOpen)
	}
}

// finish marks a tag as to be acknowledged.
func (t *tags) finish(tag uint64, now time.Time) {
	t.state[tag-t.first] = tagDoneState
	t.done = append(t.done, tagDone{tag, now})
}

// settled marks a tag whose end the broker has been told in another way.
func (t *tags) settled(tag uint64) { t.state[tag-t.first] = tagSettled }

// due returns what is to be sent now: up to which tag everything is acknowledged at
// once (0 for nothing), and which tags alone. With all set, nothing waits.
func (t *tags) due(now time.Time, all bool) (upTo uint64, alone []uint64) {
	n := 0
	for n < len(t.state) && t.state[n] != tagOpen {
		if t.state[n] == tagDoneState {
			upTo = t.first + uint64(n)
		}
		n++
	}
	t.first += uint64(n)
	t.state = t.state[n:]
	t.done = slices.DeleteFunc(t.done, func(d tagDone) bool {
		switch {
		case d.tag < t.first:
			return true
		case all || now.Sub(d.at) >= acksLater:
			alone = append(alone, d.tag)
			t.state[d.tag-t.first] = tagSettled
			return true
		}
		return false
	})
	return upTo, alone
}

// waiting reports whether any acknowledgement waits.
func (t *tags) waiting() bool { return len(t.done) > 0 }
