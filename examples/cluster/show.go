package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// show is the parent's state. One goroutine has it; the processes' messages come to
// that one.
type show struct {
	options

	stage    *stage
	dir      string // for the nodes' files
	board    *board
	messages chan message

	nodes   []*process
	victim  *process
	frozen  string // the node that was frozen
	act     act
	since   time.Time           // when the act began
	reports map[string][]Report // by part
}

// An act is how far the show has come.
type act int

const (
	everyoneWorks act = iota // until the victim's parts are half done
	oneIsDead
	oneIsBack // until all parts that tell their progress are done
	curtain   // until all processes have ended
)

// leastAct is how long an act with all nodes lasts at least, for the parts that have
// no end of their own.
const leastAct = 750 * time.Millisecond

// frozenFor is three times as long as the lease that the frozen node holds.
const frozenFor = 3 * turnTTL

// runShow is the main function of the parent.
func runShow(ctx context.Context, args []string, out io.Writer) (err error) {
	opts, err := parseOptions(args, os.Getenv)
	if err != nil {
		return err
	}
	stage, err := openStage(opts.nodes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.close(context.WithoutCancel(ctx))) }()
	dir, err := os.MkdirTemp("", "cohort-cluster-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	live := out
	if opts.json {
		live = io.Discard
	}
	s := &show{
		options: opts, stage: stage, dir: dir, board: newBoard(live),
		messages: make(chan message), reports: map[string][]Report{},
	}
	s.board.notef("%d nodes, keys below %q", opts.nodes, stage.namespace)
	for _, area := range stage.areas {
		s.board.notef("%s", area)
	}
	if err := s.play(ctx); err != nil {
		return err
	}
	return s.judge(ctx, out)
}

// play runs all nodes until they have ended.
func (s *show) play(ctx context.Context) error {
	ctx, abort := context.WithCancel(ctx)
	defer s.drain()
	defer abort() // kills what still runs
	for i := range s.options.nodes {
		p := &process{name: fmt.Sprintf("node-%d", i+1), share: (s.ids + i) / s.options.nodes}
		p.freezes = canFreeze && i == 0 && s.options.nodes > 1
		s.nodes = append(s.nodes, p)
		if err := p.start(ctx, s); err != nil {
			return err
		}
	}
	s.victim, s.since = s.nodes[len(s.nodes)-1], time.Now()
	redraw := time.NewTicker(100 * time.Millisecond)
	defer redraw.Stop()
	for s.act != curtain || s.running() > 0 {
		select {
		case m := <-s.messages:
			if err := s.hear(m); err != nil {
				return err
			}
		case <-redraw.C:
			s.board.draw(s.nodes)
		case <-ctx.Done():
			return s.interrupted(context.Cause(ctx))
		}
		if err := s.direct(ctx); err != nil {
			return err
		}
	}
	s.board.draw(s.nodes)
	return nil
}

// interrupted says how far all nodes have come.
func (s *show) interrupted(cause error) error {
	for _, p := range s.nodes {
		cause = fmt.Errorf("%w\n%s, %3.0f%% done: %s", cause, p.name, 100*p.progress(), status(p))
	}
	return cause
}

// hear takes in what a node told.
func (s *show) hear(m message) error {
	p, e := m.from, m.event
	switch {
	case m.ended:
		return p.end(m.err)
	case e.Holds != nil:
		p.holds = *e.Holds
		s.board.notef("%s is process %d and holds worker number %d", p.name, p.pid, p.holds)
	case e.Kind == freezeKind:
		s.frozen = p.name
		s.board.notef("%s is frozen while it holds the lock", p.name)
		return p.freeze()
	case e.Kind != "":
		s.reports[e.Part] = append(s.reports[e.Part], Report{p.name, m.life, e.Kind, e.Data})
	default:
		p.shows[e.Part] = e.Show
		if e.Done != nil {
			p.done[e.Part] = *e.Done
		}
	}
	return nil
}

// direct goes on to the next act when it is time.
func (s *show) direct(ctx context.Context) error {
	for _, p := range s.nodes {
		if !p.thaw.IsZero() && time.Now().After(p.thaw) {
			s.board.notef("%s goes on", p.name)
			if err := p.goOn(); err != nil {
				return err
			}
		}
	}
	long := time.Since(s.since) >= leastAct
	switch {
	case s.act == everyoneWorks && long && s.victim.progress() >= 0.5:
		s.act = oneIsDead
		s.board.notef("%s is killed; its number %d stays reserved until the lease ends", s.victim.name, s.victim.holds)
		return s.victim.kill()
	case s.act == oneIsDead && s.victim.pid == 0:
		s.act, s.since = oneIsBack, time.Now()
		return s.victim.start(ctx, s)
	case s.act == oneIsBack && long && s.done():
		s.act = curtain
		var errs []error
		for _, p := range s.nodes {
			errs = append(errs, p.finish())
		}
		return errors.Join(errs...)
	}
	return nil
}

// done reports whether all parts that tell their progress are done on all nodes.
func (s *show) done() bool {
	for _, p := range s.nodes {
		if p.progress() < 1 {
			return false
		}
	}
	return true
}

// running counts the processes.
func (s *show) running() (n int) {
	for _, p := range s.nodes {
		if p.pid != 0 {
			n++
		}
	}
	return n
}

// drain waits for the end of the processes that an abort has killed.
func (s *show) drain() {
	for s.running() > 0 {
		if m := <-s.messages; m.ended {
			m.from.pid = 0
		}
	}
}
