package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// deadRow is one message that failed for good. Its payload is not shown: it may
// hold what only its handler should see.
type deadRow struct {
	Queue    string    `json:"queue"`
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Failures int       `json:"failures"`
	Error    string    `json:"last_error"`
	Died     time.Time `json:"died"`
	Ago      span      `json:"ago_seconds"`
	Bytes    int       `json:"payload_bytes"`
}

func (s *source) dead(ctx context.Context) (table[deadRow], error) {
	t := table[deadRow]{
		Note: unseen(s.node.Config().Queue),
		head: []string{"QUEUE", "ID", "KIND", "FAILURES", "DIED", "BYTES", "LAST ERROR"},
		cells: func(r deadRow) []string {
			return []string{
				r.Queue, r.ID, r.Kind, strconv.Itoa(r.Failures), r.Ago.String() + " ago", strconv.Itoa(r.Bytes), r.Error,
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
	var notes []string
	for _, name := range names {
		rows, more, err := s.deadOf(ctx, name)
		if errors.Is(err, queue.ErrUnsupported) {
			notes = append(notes, name+": "+queue.ErrUnsupported.Error())
			continue
		}
		if err != nil {
			return t, err
		}
		if more {
			notes = append(notes, fmt.Sprintf("%s: the oldest %d", name, len(rows)))
		}
		t.Rows = append(t.Rows, rows...)
	}
	if len(notes) > 0 {
		t.Note = strings.TrimSpace(t.Note + "\n" + strings.Join(notes, "\n"))
	}
	return t, nil
}

// deadOf returns the oldest dead messages of a queue, and whether there are more.
func (s *source) deadOf(ctx context.Context, name string) (rows []deadRow, more bool, err error) {
	i, err := s.inspector(name)
	if err != nil {
		return nil, false, err
	}
	st, err := i.Stats(ctx)
	if err != nil {
		return nil, false, err
	}
	page, err := i.List(ctx, queue.ListRequest{State: queue.StateDead, Limit: s.limit})
	if err != nil {
		return nil, false, err
	}
	for _, m := range page.Messages {
		rows = append(rows, deadRow{
			Queue: name, ID: m.ID.String(), Kind: m.Kind, Failures: m.Failures, Error: m.LastError,
			Died: m.Due.UTC(), Ago: span(max(st.Now.Sub(m.Due), 0)), Bytes: len(m.Payload),
		})
	}
	return rows, page.More, nil
}
