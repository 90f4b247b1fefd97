package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

// lagPatience is the lag that is not waited for.
const lagPatience = 5 * time.Second

// lag measures how far the nodes are behind: it puts a mark behind all signals and
// waits until every node has handled what stands before. The mark is an entry in
// the log, so this is a change.
func (s *source) lag(ctx context.Context) (string, error) {
	if note := unseen(s.node.Config().PubSub); note != "" {
		return note, nil
	}
	b, ok := s.node.PubSub().(pubsub.Barrierer)
	if !ok {
		return "", pubsub.ErrUnsupported
	}
	ctx, cancel := context.WithTimeout(ctx, lagPatience)
	defer cancel()
	began := time.Now()
	r, err := b.Barrier(ctx)
	if err != nil && !errors.Is(err, pubsub.ErrBarrierTimeout) {
		return "", err
	}
	if own, ok := b.(interface{ Name() string }); ok {
		r.Passed = slices.DeleteFunc(r.Passed, func(name string) bool { return name == own.Name() })
	}
	said := fmt.Sprintf("up to date after %v: %s", span(time.Since(began)), list(r.Passed))
	if len(r.Missing) > 0 {
		said += fmt.Sprintf("\nmore than %v behind: %s", span(lagPatience), list(r.Missing))
	}
	return said, nil
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
