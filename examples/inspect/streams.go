package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

// busRow is one log of signals.
type busRow struct {
	Bus    int       `json:"bus"`
	Stored int64     `json:"stored"`
	Kept   int64     `json:"kept"`
	Newest span      `json:"newest_seconds_ago"`
	Nodes  []nodeRow `json:"nodes"`

	empty bool
}

// nodeRow is a node that follows a bus. Heard is how long ago it made sure that it
// has everything: it lags no further behind than that.
type nodeRow struct {
	Name  string `json:"name"`
	Heard span   `json:"up_to_date_seconds_ago"`
	Late  bool   `json:"late"`
}

// lateAfter is a little more than the time between two questions of a node under
// load.
const lateAfter = 10 * time.Second

// Age says how old the newest entry is.
func (r busRow) Age() string {
	if r.empty {
		return "none"
	}
	return r.Newest.String() + " ago"
}

func (s *source) streams(ctx context.Context) (table[busRow], error) {
	t := table[busRow]{
		Note: unseen(s.node.Config().PubSub),
		head: []string{"BUS", "STORED", "KEPT", "NEWEST", "NODES, UP TO DATE"},
		cells: func(r busRow) []string {
			nodes := make([]string, len(r.Nodes))
			for i, n := range r.Nodes {
				nodes[i] = fmt.Sprintf("%s %v ago", n.Name, n.Heard)
			}
			return []string{
				strconv.Itoa(r.Bus), strconv.FormatInt(r.Stored, 10), strconv.FormatInt(r.Kept, 10), r.Age(), strings.Join(nodes, ", "),
			}
		},
	}
	if t.Note != "" {
		return t, nil
	}
	i, ok := s.node.PubSub().(pubsub.Inspector)
	if !ok {
		return t, pubsub.ErrUnsupported
	}
	buses, err := i.Inspect(ctx)
	if err != nil {
		return t, err
	}
	for n, b := range buses {
		row := busRow{Bus: n, Stored: b.Stored, Kept: b.Kept, Nodes: []nodeRow{}, empty: b.Newest.IsZero()}
		if !row.empty {
			row.Newest = span(max(b.Now.Sub(b.Newest), 0))
		}
		for _, node := range b.Nodes {
			since := max(b.Now.Sub(node.Heard), 0)
			row.Nodes = append(row.Nodes, nodeRow{Name: node.Name, Heard: span(since), Late: since > lateAfter})
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}
