package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/cohort-go/cohort/lock"
)

// lockRow is one lock that is held. Of the holder's token only the part is shown
// that names its process: the whole would do to release the lock.
type lockRow struct {
	Name    string `json:"name"`
	Holder  string `json:"holder"`
	Fence   uint64 `json:"fence"`
	Left    span   `json:"left_seconds"`
	Waiters int    `json:"waiters"`
}

func (s *source) locks(ctx context.Context) (table[lockRow], error) {
	t := table[lockRow]{
		Note: unseen(s.node.Config().Lock),
		head: []string{"LOCK", "HOLDER", "FENCE", "TIME LEFT", "WAITING PROCESSES"},
		cells: func(r lockRow) []string {
			return []string{r.Name, r.Holder, strconv.FormatUint(r.Fence, 10), r.Left.String(), strconv.Itoa(r.Waiters)}
		},
	}
	if t.Note != "" {
		return t, nil
	}
	lister, ok := s.node.Locker().(lock.Lister)
	if !ok {
		return t, lock.ErrUnsupported
	}
	held, err := lister.List(ctx, s.limit+1)
	if err != nil {
		return t, err
	}
	if len(held) > s.limit {
		held = held[:s.limit]
		t.Note = fmt.Sprintf("there are more than %d", s.limit)
	}
	for _, h := range held {
		t.Rows = append(t.Rows, lockRow{Name: h.Name, Holder: process(h.Owner), Fence: h.Fence, Left: span(h.TTL), Waiters: h.Waiters})
	}
	return t, nil
}

// process is the part of a token that names its process.
func process(token string) string {
	if len(token) != lock.TokenLen {
		return "another program"
	}
	return token[:lock.ProcessLen]
}
