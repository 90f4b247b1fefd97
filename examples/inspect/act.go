package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// errReadOnly reports a change without -write.
var errReadOnly = errors.New("read-only: start with -write to change anything")

// act carries out a change and says what it did.
func act(ctx context.Context, src *source, o options, verb, name string, out io.Writer) error {
	if !o.write {
		return errReadOnly
	}
	var did string
	var err error
	if verb == "lag" && name == "" {
		did, err = src.lag(ctx)
	} else {
		did, err = src.change(ctx, verb, name, o)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, did)
	return nil
}

// change is one of redrive, purge, pause and resume.
func (s *source) change(ctx context.Context, verb, name string, o options) (did string, err error) {
	names, err := s.names(ctx)
	if err != nil {
		return "", err
	}
	if !slices.Contains(names, name) {
		return "", fmt.Errorf("no queue %q; name it by -queues if the backend cannot list queues", name)
	}
	c, err := s.controller(name)
	if err != nil {
		return "", err
	}
	switch verb {
	case "redrive":
		n, err := redrive(ctx, c, o.id)
		return fmt.Sprintf("%s: %s ready again", name, count(n, "message")), err
	case "purge":
		state := queue.State(o.state)
		if !slices.Contains([]queue.State{queue.StateReady, queue.StateDelayed, queue.StateDead, queue.StateFinished}, state) {
			return "", fmt.Errorf("-state is %q, want ready, delayed, dead or finished", o.state)
		}
		n, err := c.Purge(ctx, state)
		return fmt.Sprintf("%s: %s removed for good", name, count(n, o.state+" message")), err
	case "pause":
		var until time.Time
		if o.pause > 0 {
			until = time.Now().Add(o.pause)
		}
		return name + ": paused", c.Pause(ctx, until)
	case "resume":
		return name + ": resumed", c.Resume(ctx)
	}
	return "", fmt.Errorf("%q: %w", verb, errUsage)
}

// redrive makes one dead message ready, or all if id is empty.
func redrive(ctx context.Context, c queue.Controller, id string) (int, error) {
	if id == "" {
		return c.Redrive(ctx, queue.RedriveOptions{})
	}
	want, err := queue.ParseID(id)
	if err != nil {
		return 0, err
	}
	n, err := c.Redrive(ctx, queue.RedriveOptions{Filter: func(m queue.Info) bool { return m.ID == want }, Max: 1})
	if err == nil && n == 0 {
		err = fmt.Errorf("message %s: %w among the dead", id, queue.ErrNotFound)
	}
	return n, err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return fmt.Sprintf("%d %ss are", n, what)
}
