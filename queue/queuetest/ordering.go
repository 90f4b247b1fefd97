package queuetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cohort-go/cohort/queue"
)

func order(s *suite) {
	const n = 200
	q := s.open()
	_, err := q.EnqueueMany(s.ctx(), numbered(n))
	s.must(err)
	var log diary
	s.consume(q, log.record, queue.ConsumeOptions{Concurrency: 1})
	s.until("all have run", func() bool { return log.len() >= n })
	if got := log.texts(); !slices.IsSorted(got) || len(got) != n {
		s.Errorf("ran %v", got)
	}
}

func priority(s *suite) {
	q := s.open()
	levels := []queue.Priority{queue.PriorityLow, queue.PriorityNormal, queue.PriorityHigh, queue.PriorityUrgent}
	if q.Capabilities().Levels < len(levels) {
		levels = []queue.Priority{queue.PriorityNormal, queue.PriorityUrgent}
	}
	var want []string
	for i := range 3 {
		for _, p := range levels {
			text := fmt.Sprintf("%d-%d", p, i)
			s.put(q, text, queue.Message{Priority: p})
			want = append(want, text)
		}
	}
	slices.SortStableFunc(want, func(a, b string) int { return rank(b) - rank(a) })
	var log diary
	s.consume(q, log.record, queue.ConsumeOptions{Concurrency: 1})
	s.until("all have run", func() bool { return log.len() == len(want) })
	s.equal("order", log.texts(), want)
}

func rank(text string) (p int) {
	_, _ = fmt.Sscanf(text, "%d-", &p)
	return p
}

func keyOrder(s *suite) {
	const perKey = 20
	q := s.open()
	var messages []queue.Message
	for i := range perKey {
		for _, key := range []string{"a", "b"} {
			messages = append(messages, queue.Message{Key: key, Payload: fmt.Appendf(nil, "%s%03d", key, i)})
		}
	}
	_, err := q.EnqueueMany(s.ctx(), messages)
	s.must(err)
	var mu sync.Mutex
	running := map[string]int{}
	done := map[string][]string{}
	var log diary
	h := func(_ context.Context, d *queue.Delivery) error {
		mu.Lock()
		if running[d.Key]++; running[d.Key] > 1 {
			s.Errorf("two messages of key %s run at once", d.Key)
		}
		mu.Unlock()
		time.Sleep(time.Millisecond)
		mu.Lock()
		running[d.Key]--
		defer mu.Unlock()
		if string(d.Payload) == "a003" && d.Attempt == 1 {
			return queue.RetryIn(150*time.Millisecond, errBusy)
		}
		done[d.Key] = append(done[d.Key], string(d.Payload))
		log.note(d)
		return nil
	}
	for range 2 {
		s.consume(s.open(), h, queue.ConsumeOptions{Concurrency: 4})
	}
	s.until("all have run", func() bool { return log.len() == 2*perKey })
	mu.Lock()
	defer mu.Unlock()
	for key, list := range done {
		if !slices.IsSorted(list) || len(list) != perKey {
			s.Errorf("key %s: %v", key, list)
		}
	}
	texts := log.texts()
	if slices.Index(texts, "b005") > slices.Index(texts, "a003") {
		s.Error("key b waited for the retry of key a")
	}
}

func keyOpens(s *suite) {
	q := s.open()
	_, c := s.inspector(q)
	s.put(q, "dead", queue.Message{Key: "k"})
	s.put(q, "discarded", queue.Message{Key: "k"})
	cancelled := s.put(q, "cancelled", queue.Message{Key: "k"})
	s.put(q, "expired", queue.Message{Key: "k", TTL: time.Millisecond})
	s.put(q, "last", queue.Message{Key: "k"})
	d := s.one(q, time.Minute)
	s.nothing(q, 100*time.Millisecond)
	s.must(d.Settle(s.ctx(), queue.Dead(errBusy)))
	d = s.one(q, time.Minute)
	s.equal("second", string(d.Payload), "discarded")
	s.must(c.Cancel(s.ctx(), cancelled))
	s.nothing(q, 100*time.Millisecond)
	s.must(d.Settle(s.ctx(), queue.Discard(errBusy)))
	d = s.one(q, time.Minute)
	s.equal("last", string(d.Payload), "last")
	s.must(d.Settle(s.ctx(), nil))
}

// duplicateOf checks that err says which message is there.
func (s *suite) duplicateOf(err error, id queue.ID) {
	s.Helper()
	var dup *queue.DuplicateError
	if !errors.Is(err, queue.ErrDuplicate) || !errors.As(err, &dup) {
		s.Fatalf("got %v, want ErrDuplicate", err)
	}
	s.equal("existing", dup.Existing, id)
}

func deduplicates(s *suite) {
	q := s.open()
	id := queue.IDOf("invoice-117")
	m := queue.Message{ID: id, Payload: []byte("m")}
	got, err := q.Enqueue(s.ctx(), m)
	s.must(err)
	s.equal("id", got, id)
	_, err = s.open().Enqueue(s.ctx(), m)
	s.duplicateOf(err, id)
	results, err := q.EnqueueMany(s.ctx(), []queue.Message{{Payload: []byte("x")}, m, {Payload: []byte("y")}})
	s.duplicateOf(err, id)
	if results[0].Err != nil || results[1].Err == nil || results[2].Err != nil {
		s.Errorf("results: %v", results)
	}
	d := s.one(q, time.Minute)
	s.equal("first", d.ID, id)
	_, err = q.Enqueue(s.ctx(), m)
	s.duplicateOf(err, id)
	s.must(d.Settle(s.ctx(), nil))
	_, err = q.Enqueue(s.ctx(), m)
	s.duplicateOf(err, id)
}

func unique(until queue.Until, ttl time.Duration) queue.Message {
	return queue.Message{Unique: queue.Unique{Key: "report", Until: until, TTL: ttl}}
}

func uniqueUntilDone(s *suite) {
	q := s.open()
	first := s.put(q, "1", unique(queue.UntilDone, 0))
	_, err := q.Enqueue(s.ctx(), unique(queue.UntilDone, 0))
	s.duplicateOf(err, first)
	d := s.one(q, time.Minute)
	_, err = q.Enqueue(s.ctx(), unique(queue.UntilDone, 0))
	s.duplicateOf(err, first)
	s.must(d.Settle(s.ctx(), queue.RetryIn(0, errBusy)))
	_, err = q.Enqueue(s.ctx(), unique(queue.UntilDone, 0))
	s.duplicateOf(err, first)
	s.must(s.one(q, time.Minute).Settle(s.ctx(), nil))
	s.put(q, "2", unique(queue.UntilDone, 0))
}

func uniqueConflict(s *suite) {
	q := s.open()
	id := queue.IDOf("taken")
	_, err := q.Enqueue(s.ctx(), queue.Message{ID: id})
	s.must(err)
	refused := unique(queue.UntilDone, 0)
	refused.ID = id
	_, err = q.Enqueue(s.ctx(), refused)
	s.duplicateOf(err, id)
	s.must(s.one(q, time.Minute).Settle(s.ctx(), nil))
	_, err = q.Enqueue(s.ctx(), refused) // remembered, though it is gone
	s.duplicateOf(err, id)
	s.put(q, "other", unique(queue.UntilDone, 0))
}

func uniqueUntilStart(s *suite) {
	q := s.open()
	first := s.put(q, "1", unique(queue.UntilStart, 0))
	_, err := q.Enqueue(s.ctx(), unique(queue.UntilStart, 0))
	s.duplicateOf(err, first)
	d := s.one(q, time.Minute)
	second := s.put(q, "2", unique(queue.UntilStart, 0))
	s.must(d.Settle(s.ctx(), nil))
	_, err = q.Enqueue(s.ctx(), unique(queue.UntilStart, 0))
	s.duplicateOf(err, second)
}

func uniqueTTL(s *suite) {
	q := s.open()
	s.put(q, "1", unique(queue.UntilDone, 100*time.Millisecond))
	time.Sleep(150 * time.Millisecond)
	second := s.put(q, "2", unique(queue.UntilDone, 0))
	d := s.one(q, time.Minute)
	s.equal("oldest", string(d.Payload), "1")
	s.must(d.Settle(s.ctx(), nil))
	_, err := q.Enqueue(s.ctx(), unique(queue.UntilDone, 0))
	s.duplicateOf(err, second)
}

func uniqueRedrive(s *suite) {
	q := s.open()
	_, c := s.inspector(q)
	s.put(q, "1", unique(queue.UntilDone, 0))
	s.must(s.one(q, time.Minute).Settle(s.ctx(), queue.Dead(errBusy)))
	second := s.put(q, "2", unique(queue.UntilDone, 0))
	n, err := c.Redrive(s.ctx(), queue.RedriveOptions{})
	s.duplicateOf(err, second)
	s.equal("redriven", n, 0)
	s.equal("dead", s.stats(q).Dead, 1)
	s.must(s.one(q, time.Minute).Settle(s.ctx(), nil))
	n, err = c.Redrive(s.ctx(), queue.RedriveOptions{})
	s.must(err)
	s.equal("redriven", n, 1)
	_, err = q.Enqueue(s.ctx(), unique(queue.UntilDone, 0))
	if !errors.Is(err, queue.ErrDuplicate) {
		s.Errorf("after redrive: %v", err)
	}
}
