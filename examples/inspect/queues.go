package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// queueRow is one queue.
type queueRow struct {
	Name     string `json:"name"`
	Ready    int    `json:"ready"`
	Waiting  int    `json:"waiting"`
	InFlight int    `json:"in_flight"`
	Delayed  int    `json:"delayed"`
	Dead     int    `json:"dead"`
	Finished int    `json:"finished"`
	Oldest   span   `json:"oldest_ready_seconds"`
	Done     int64  `json:"done"`
	Retried  int64  `json:"retried"`
	Died     int64  `json:"died"`

	PausedUntil *time.Time `json:"paused_until,omitempty"`
	Consumers   []string   `json:"consumers"`
	// Partial tells that the backend counts only what is ready and what is dead.
	Partial bool `json:"partial,omitempty"`
	// Problem says why the rest is empty.
	Problem string `json:"problem,omitempty"`

	stats queue.Stats
}

// Paused says until when, "" if the queue is not paused.
func (r queueRow) Paused() string {
	switch {
	case r.PausedUntil == nil:
		return ""
	case !r.PausedUntil.Before(queue.Forever()):
		return "until resumed"
	}
	return "until " + r.PausedUntil.UTC().Format("2006-01-02 15:04:05Z")
}

// Note is what people must know of the queue.
func (r queueRow) Note() string {
	if r.Problem != "" {
		return r.Problem
	}
	if paused := r.Paused(); paused != "" {
		return "paused " + paused
	}
	if r.Partial {
		return "only ready and dead messages can be counted"
	}
	return ""
}

func (s *source) queues(ctx context.Context) (table[queueRow], error) {
	t := table[queueRow]{
		Note: unseen(s.node.Config().Queue),
		head: []string{"QUEUE", "READY", "WAITING", "IN FLIGHT", "DELAYED", "DEAD", "OLDEST", "DONE", "RETRIED", "CONSUMERS", "NOTE"},
		cells: func(r queueRow) []string {
			if r.Partial {
				return []string{r.Name, strconv.Itoa(r.Ready), "-", "-", "-", strconv.Itoa(r.Dead), "-", "-", "-", "-", r.Note()}
			}
			return []string{
				r.Name, strconv.Itoa(r.Ready), strconv.Itoa(r.Waiting), strconv.Itoa(r.InFlight), strconv.Itoa(r.Delayed),
				strconv.Itoa(r.Dead), r.Oldest.String(), strconv.FormatInt(r.Done, 10), strconv.FormatInt(r.Retried, 10),
				strings.Join(r.Consumers, " "), r.Note(),
			}
		},
	}
	if t.Note != "" {
		return t, nil
	}
	names, err := s.names(ctx)
	if err != nil {
		return t, err
	}
	for _, name := range names {
		t.Rows = append(t.Rows, s.queue(ctx, name))
	}
	return t, nil
}

// queue looks at one queue. A queue that cannot be seen does not hide the others.
func (s *source) queue(ctx context.Context, name string) queueRow {
	row := queueRow{Name: name, Consumers: []string{}}
	i, err := s.inspector(name)
	if err != nil {
		row.Problem = err.Error()
		return row
	}
	if q, ok := i.(queue.Queue); ok {
		row.Partial = !q.Capabilities().Can.Has(queue.CanInspect)
	}
	st, err := i.Stats(ctx)
	if err != nil {
		row.Problem = err.Error()
		return row
	}
	row.stats = st
	row.Ready, row.Waiting, row.InFlight, row.Delayed = st.ReadyTotal(), st.Waiting, st.InFlight, st.Delayed
	row.Dead, row.Finished, row.Oldest = st.Dead, st.Finished, span(st.OldestReady)
	row.Done, row.Retried, row.Died = st.Done, st.Retried, st.Died
	if !st.PausedUntil.IsZero() {
		row.PausedUntil = new(st.PausedUntil.UTC())
	}
	consumers, err := i.Consumers(ctx)
	if err != nil && !errors.Is(err, queue.ErrUnsupported) {
		row.Problem = err.Error()
	}
	for _, c := range consumers {
		row.Consumers = append(row.Consumers, c.Name)
	}
	return row
}
