package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/queue"
)

// patience bounds one look at the cluster.
const patience = 15 * time.Second

// source is the cluster that is looked at.
type source struct {
	node  *cohort.Node
	named []string // queues besides those that are found
	limit int
}

// open joins the cluster as an onlooker.
func open(ctx context.Context, getenv func(string) string, o options) (*source, error) {
	node, err := cohort.Open(ctx, cohort.Options{Getenv: getenv, NoWorker: true})
	if err != nil {
		return nil, err
	}
	s := &source{node: node, limit: o.limit}
	for name := range strings.SplitSeq(o.queues, ",") {
		if name = strings.TrimSpace(name); name != "" {
			s.named = append(s.named, name)
		}
	}
	return s, nil
}

func (s *source) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.node.Close(ctx) // the process ends
}

// names are those of the queues, in order.
func (s *source) names(ctx context.Context) ([]string, error) {
	found, err := s.node.QueueNames(ctx)
	if err != nil {
		return nil, err
	}
	names := slices.Concat(found, s.named)
	slices.Sort(names)
	return slices.Compact(names), nil
}

// inspector looks at a queue.
func (s *source) inspector(name string) (queue.Inspector, error) {
	q, err := s.node.Queue(name)
	if err != nil {
		return nil, err
	}
	i, ok := q.(queue.Inspector)
	if !ok {
		return nil, queue.ErrUnsupported
	}
	return i, nil
}

// controller changes a queue.
func (s *source) controller(name string) (queue.Controller, error) {
	q, err := s.node.Queue(name)
	if err != nil {
		return nil, err
	}
	c, ok := q.(queue.Controller)
	if !ok {
		return nil, queue.ErrUnsupported
	}
	return c, nil
}

// unseen says what keeps others from seeing an area, or "".
func unseen(a cohort.Adapter) string {
	if a.Kind == cohort.Memory {
		return "in memory: each node has its own, which only it can see"
	}
	return ""
}

// where says where an area keeps its state, without any secret.
func where(a cohort.Adapter) string { return cmp.Or(a.Address(), a.Kind) }
