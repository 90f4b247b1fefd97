package queuetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/cohort-go/cohort/queue"
)

func countsDead(s *suite) {
	q := s.open()
	for i := range 3 {
		s.put(q, fmt.Sprint(i), queue.Message{})
	}
	st := s.stats(q)
	s.equal("ready and dead", []int{st.ReadyTotal(), st.Dead}, []int{3, 0})
	for _, d := range s.receive(q, 3, time.Minute) {
		s.must(d.Settle(s.ctx(), queue.Dead(errBusy)))
	}
	st = s.stats(q)
	s.equal("ready and dead", []int{st.ReadyTotal(), st.Dead}, []int{0, 3})
	if st.Now.IsZero() {
		s.Error("nobody knows what time it is")
	}
}

// buried puts messages among the dead, one after the other, and returns their IDs.
func (s *suite) buried(q queue.Queue, n int) []queue.ID {
	s.Helper()
	ids := make([]queue.ID, n)
	for i := range ids {
		ids[i] = s.put(q, fmt.Sprint(i), queue.Message{Kind: "job", Header: map[string]string{"k": "v"}})
		s.must(s.one(q, time.Minute).Settle(s.ctx(), queue.Dead(fmt.Errorf("bad %d", i))))
		time.Sleep(2 * time.Millisecond) // so that none died in the same millisecond
	}
	return ids
}

// dead lists a page of the dead.
func (s *suite) dead(q queue.Queue, offset, limit int) queue.Page {
	s.Helper()
	i, _ := s.inspector(q)
	page, err := i.List(s.ctx(), queue.ListRequest{State: queue.StateDead, Offset: offset, Limit: limit})
	s.must(err)
	return page
}

func looksAtDead(s *suite) {
	q := s.open()
	i, _ := s.inspector(q)
	ids := s.buried(q, 5)
	first := s.dead(q, 0, 0).Messages // a queue in parts has an order of its own
	for look := range 100 {
		page := s.dead(q, 0, 0)
		s.equal("dead", len(page.Messages), len(ids))
		for at, m := range page.Messages {
			n := slices.Index(ids, m.ID)
			if m.ID != first[at].ID || n < 0 || m.State != queue.StateDead || m.Kind != "job" || string(m.Payload) != fmt.Sprint(n) ||
				m.Header["k"] != "v" || m.Failures != 1 || m.LastError != fmt.Sprint("bad ", n) || m.Due.IsZero() {
				s.Fatalf("look %d, message %d: %+v", look, n, m)
			}
		}
	}
	page := s.dead(q, 1, 2)
	if len(page.Messages) != 2 || page.Messages[0].ID != first[1].ID || !page.More {
		s.Errorf("the second and third: %+v", page)
	}
	if page = s.dead(q, 3, 2); len(page.Messages) != 2 || page.Messages[1].ID != first[4].ID || page.More {
		s.Errorf("the last two: %+v", page)
	}
	info, err := i.Get(s.ctx(), ids[2])
	s.must(err)
	s.equal("got", string(info.Payload), "2")
	s.equal("dead", s.stats(q).Dead, 5)
}

func removesDead(s *suite) {
	q := s.open()
	_, c := s.inspector(q)
	ids := s.buried(q, 4)
	s.put(q, "ready", queue.Message{})
	s.must(c.Cancel(s.ctx(), ids[1]))
	if err := c.Cancel(s.ctx(), ids[1]); err == nil {
		s.Error("it was cancelled twice")
	}
	page := s.dead(q, 0, 0)
	s.equal("dead", len(page.Messages), 3)
	for _, m := range page.Messages {
		if m.ID == ids[1] {
			s.Error("it is still there")
		}
	}
	n, err := c.Purge(s.ctx(), queue.StateDead)
	s.must(err)
	s.equal("purged", n, 3)
	s.equal("dead", len(s.dead(q, 0, 0).Messages), 0)
	d := s.one(q, time.Minute)
	s.equal("left", string(d.Payload), "ready")
	s.must(d.Settle(s.ctx(), nil))
}

func purgesReady(s *suite) {
	q := s.open()
	_, c := s.inspector(q)
	s.buried(q, 1)
	_, err := q.EnqueueMany(s.ctx(), numbered(1200))
	s.must(err)
	s.until("it can be seen", func() bool { return s.stats(q).ReadyTotal() == 1200 })
	n, err := c.Purge(s.ctx(), queue.StateReady)
	s.must(err)
	s.equal("purged", n, 1200)
	st := s.stats(q)
	s.equal("ready and dead", []int{st.ReadyTotal(), st.Dead}, []int{0, 1})
}
