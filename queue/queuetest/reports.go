package queuetest

import (
	"context"
	"errors"
	"time"

	"github.com/cohort-go/cohort/queue"
)

func accounts(s *suite) {
	q := s.open()
	_, c := s.inspector(q)
	_, err := q.EnqueueMany(s.ctx(), numbered(10))
	s.must(err)
	for _, d := range s.receive(q, 3, time.Minute) {
		s.must(d.Settle(s.ctx(), nil))
	}
	s.must(s.one(q, time.Minute).Settle(s.ctx(), queue.Discard(errBusy)))
	s.must(s.one(q, time.Minute).Settle(s.ctx(), queue.Dead(errBusy)))
	s.must(s.one(q, time.Minute).Settle(s.ctx(), queue.RetryIn(time.Hour, errBusy)))
	s.one(q, time.Minute)
	s.must(c.Cancel(s.ctx(), s.put(q, "x", queue.Message{})))
	st := s.stats(q)
	s.equal("states", []int{st.ReadyTotal(), st.InFlight, st.Delayed, st.Dead}, []int{3, 1, 1, 1})
	s.balance(st)
	n, err := c.Purge(s.ctx(), queue.StateReady)
	s.must(err)
	s.equal("purged", n, 3)
	st = s.stats(q)
	s.balance(st)
	s.equal("ends", []int64{st.Done, st.Discarded, st.Cancelled, st.Purged, st.Died, st.Retried}, []int64{3, 1, 1, 3, 1, 1})
}

func counts(s *suite) {
	q := s.open()
	before := s.stats(q)
	s.equal("oldest of none", before.OldestReady, time.Duration(0))
	for i, p := range []queue.Priority{queue.PriorityUrgent, queue.PriorityHigh, queue.PriorityNormal, queue.PriorityLow} {
		for range i + 1 {
			s.put(q, "m", queue.Message{Priority: p})
		}
	}
	s.put(q, "later", queue.Message{Delay: time.Hour})
	time.Sleep(50 * time.Millisecond)
	st := s.stats(q)
	s.equal("ready by priority", st.Ready, [4]int{1, 2, 3, 4})
	s.equal("delayed", st.Delayed, 1)
	if st.OldestReady < 50*time.Millisecond || st.OldestReady > time.Minute {
		s.Errorf("the oldest is %v old, want 50ms or a little more", st.OldestReady)
	}
	for _, d := range s.receive(q, 4, time.Minute) {
		s.must(d.Settle(s.ctx(), nil))
	}
	st = s.stats(q)
	s.equal("ready by priority", st.Ready, [4]int{0, 0, 2, 4})
	rates := st.Since(before)
	if seconds := st.Now.Sub(before.Now).Seconds(); seconds <= 0 || rates.Enqueued*seconds < 10.9 || rates.Done*seconds > 4.1 {
		s.Errorf("%+v in %v s", rates, seconds)
	}
}

func (s *suite) balance(st queue.Stats) {
	s.Helper()
	out := st.Done + st.Discarded + st.Expired + st.Purged + st.Cancelled + st.Trimmed
	if left := int64(st.Left()); st.Enqueued != out+left {
		s.Errorf("%d came in, %d went out, %d are left: %+v", st.Enqueued, out, left, st)
	}
}

func lists(s *suite) {
	q := s.open()
	i, _ := s.inspector(q)
	want := map[queue.State]queue.ID{}
	want[queue.StateInFlight] = s.put(q, "in flight", queue.Message{})
	s.one(q, time.Minute)
	want[queue.StateDead] = s.put(q, "dead", queue.Message{})
	s.must(s.one(q, time.Minute).Settle(s.ctx(), queue.Dead(errBusy)))
	want[queue.StateDelayed] = s.put(q, "delayed", queue.Message{Delay: time.Hour})
	want[queue.StateReady] = s.put(q, "ready", queue.Message{Key: "k", Header: map[string]string{"a": "b"}})
	want[queue.StateWaiting] = s.put(q, "waiting", queue.Message{Key: "k"})
	for state, id := range want {
		page, err := i.List(s.ctx(), queue.ListRequest{State: state})
		s.must(err)
		if len(page.Messages) != 1 || page.Messages[0].ID != id || page.More {
			s.Errorf("%s: %+v", state, page)
		}
		info, err := i.Get(s.ctx(), id)
		s.must(err)
		if info.State != state || string(info.Payload) != string(state) {
			s.Errorf("Get of a message %s: %s %q", state, info.State, info.Payload)
		}
	}
	if _, err := i.Get(s.ctx(), queue.NewID()); !errors.Is(err, queue.ErrNotFound) {
		s.Errorf("Get of nothing: %v", err)
	}
	_, err := q.EnqueueMany(s.ctx(), numbered(25))
	s.must(err)
	seen := 0
	for offset := 0; ; offset += 10 {
		page, err := i.List(s.ctx(), queue.ListRequest{State: queue.StateReady, Offset: offset, Limit: 10})
		s.must(err)
		seen += len(page.Messages)
		if !page.More {
			break
		}
	}
	s.equal("ready", seen, 26)
}

func records(s *suite) {
	q := s.open()
	i, _ := s.inspector(q)
	half, finish := make(chan struct{}), make(chan struct{})
	s.consume(q, func(ctx context.Context, d *queue.Delivery) error {
		s.must(d.SetProgress(ctx, []byte("50 %")))
		close(half)
		select {
		case <-finish:
		case <-ctx.Done():
		}
		d.SetResult([]byte("42"))
		return nil
	}, queue.ConsumeOptions{})
	id := s.put(q, "m", queue.Message{Retain: 400 * time.Millisecond})
	next(s, half)
	info, err := i.Get(s.ctx(), id)
	s.must(err)
	s.equal("progress", string(info.Progress), "50 %")
	close(finish)
	s.until("it is finished", func() bool {
		info, err = i.Get(s.ctx(), id)
		s.must(err)
		return info.State == queue.StateFinished
	})
	s.equal("result", string(info.Result), "42")
	s.until("it is forgotten", func() bool {
		_, err := i.Get(s.ctx(), id)
		return errors.Is(err, queue.ErrNotFound)
	})
	s.balance(s.stats(q))
}

func consumers(s *suite) {
	q := s.open()
	i, _ := s.inspector(q)
	for _, name := range []string{"alpha", "beta"} {
		s.consume(s.open(), func(context.Context, *queue.Delivery) error { return nil }, queue.ConsumeOptions{Name: name})
	}
	s.until("both are listed", func() bool {
		list, err := i.Consumers(s.ctx())
		s.must(err)
		seen := map[string]bool{}
		for _, c := range list {
			seen[c.Name] = true
		}
		return seen["alpha"] && seen["beta"]
	})
}
