package lock

import (
	"container/heap"
	"time"
)

// alarms wakes the locker when the first of its seats needs it: one timer for
// all of them. It is guarded by the mutex of the locker.
type alarms struct {
	seats byWake
	timer *time.Timer
	at    time.Time // when the timer fires; zero: it does not
}

// set moves the alarm of s to the given time.
func (a *alarms) set(s *seat, at time.Time, ring func()) {
	switch {
	case s.index < 0:
		s.wake = at
		heap.Push(&a.seats, s)
	case s.wake.Equal(at):
		return
	default:
		s.wake = at
		heap.Fix(&a.seats, s.index)
	}
	if a.at.IsZero() || at.Before(a.at) {
		a.arm(ring)
	}
}

// remove takes back the alarm of s. The timer stays as it is; if it finds
// nothing to do, it is set anew.
func (a *alarms) remove(s *seat) {
	if s.index >= 0 {
		heap.Remove(&a.seats, s.index)
	}
}

// due takes out a seat whose time has come, or returns nil.
func (a *alarms) due(now time.Time) *seat {
	if len(a.seats) == 0 || a.seats[0].wake.After(now) {
		return nil
	}
	s, _ := heap.Pop(&a.seats).(*seat)
	return s
}

// arm sets the timer to the first alarm.
func (a *alarms) arm(ring func()) {
	if len(a.seats) == 0 {
		a.at = time.Time{}
		return
	}
	a.at = a.seats[0].wake
	if a.timer == nil {
		a.timer = time.AfterFunc(time.Until(a.at), ring)
		return
	}
	a.timer.Reset(time.Until(a.at))
}

func (a *alarms) stop() {
	for len(a.seats) > 0 {
		a.remove(a.seats[0])
	}
	if a.timer != nil {
		a.timer.Stop()
	}
}

// byWake is a heap of seats.
type byWake []*seat

func (h *byWake) Len() int           { return len(*h) }
func (h *byWake) Less(i, j int) bool { return (*h)[i].wake.Before((*h)[j].wake) }
func (h *byWake) Swap(i, j int) {
	s := *h
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

// Push implements heap.Interface.
func (h *byWake) Push(x any) {
	s, _ := x.(*seat)
	s.index = len(*h)
	*h = append(*h, s)
}

// Pop implements heap.Interface.
func (h *byWake) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	s.index = -1
	return s
}
