package main

import (
	"context"
	"strconv"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

// workerRow is one worker number. A free one has no holder.
type workerRow struct {
	Number     int    `json:"number"`
	Held       bool   `json:"held"`
	Holder     string `json:"holder,omitempty"`
	Generation int64  `json:"generation,omitempty"`
	Left       span   `json:"left_seconds"`
	Ahead      span   `json:"may_stamp_ahead_seconds"`
}

// workers lists the numbers of the range, also those that are free.
func (s *source) workers(ctx context.Context) (table[workerRow], error) {
	c := s.node.Config()
	t := table[workerRow]{
		Note: unseen(c.Worker),
		head: []string{"NUMBER", "HOLDER", "GENERATION", "LEASE ENDS IN"},
		cells: func(r workerRow) []string {
			if !r.Held {
				return []string{strconv.Itoa(r.Number), "free", "", ""}
			}
			return []string{
				strconv.Itoa(r.Number), r.Holder, strconv.FormatInt(r.Generation, 10), r.Left.String(),
			}
		},
	}
	if t.Note != "" {
		return t, nil
	}
	holders, err := s.node.Numbers().Holders(ctx)
	if err != nil {
		return t, err
	}
	by := make(map[int]workerid.Holder, len(holders))
	for _, h := range holders {
		by[h.ID] = h
	}
	now := time.Now()
	for number := c.WorkerIDMin; number <= c.WorkerIDMax; number++ {
		row := workerRow{Number: number}
		if h, held := by[number]; held {
			row.Held, row.Holder, row.Generation = true, h.Holder, h.Generation
			row.Left, row.Ahead = span(max(h.Expires.Sub(now), 0)), span(max(h.Mark.Sub(now), 0))
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}
