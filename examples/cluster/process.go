package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// A process is a node as the parent sees it, over all its lives. Only the show's
// own goroutine uses it.
type process struct {
	name  string
	share int // of the IDs

	freezes bool      // once
	thaw    time.Time // when it goes on, zero unless it is frozen

	life  int
	pid   int // 0 while it does not run
	holds int // the worker number, or -1
	shows map[string]string
	done  map[string]float64

	cmd    *exec.Cmd
	input  io.Closer
	killed bool
}

// A message is what a life of a process told, or its end.
type message struct {
	from  *process
	life  int
	event event
	ended bool
	err   error // of the end
}

// start begins the next life. What it tells and its end come as messages.
func (p *process) start(ctx context.Context, s *show) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p.life++
	p.holds, p.killed = -1, false
	p.shows, p.done = map[string]string{}, map[string]float64{}
	p.cmd = exec.CommandContext(ctx, self, nodeCommand,
		"-name", p.name, "-life", strconv.Itoa(p.life), "-nodes", strconv.Itoa(s.options.nodes),
		"-share", strconv.Itoa(p.share), "-dir", s.dir, "-layout", s.layout,
		"-freezes="+strconv.FormatBool(p.freezes && p.life == 1))
	p.cmd.Env = s.stage.variables.environ() // not arguments: those are public
	var complaints bytes.Buffer
	p.cmd.Stderr = &complaints
	if p.input, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.pid = p.cmd.Process.Pid
	cmd, life := p.cmd, p.life
	go func() { // until the life ends
		listen(output, func(e event) { s.messages <- message{from: p, life: life, event: e} })
		err := cmd.Wait()
		if err != nil && complaints.Len() > 0 {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(complaints.Bytes()))
		}
		s.messages <- message{from: p, life: life, ended: true, err: err}
	}()
	return nil
}

// kill ends this life as a crash would.
func (p *process) kill() error {
	p.killed = true
	if err := p.cmd.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// finish tells the process that the show is about to end.
func (p *process) finish() error {
	if err := p.input.Close(); !errors.Is(err, os.ErrClosed) { // it has ended already
		return err
	}
	return nil
}

// end notes that this life is over, and reports whether it should not be.
func (p *process) end(err error) error {
	p.pid = 0
	if err == nil || p.killed {
		return nil
	}
	return errors.Join(fmt.Errorf("%s ended by itself", p.name), err)
}

// progress is that of the part that is furthest back.
func (p *process) progress() float64 {
	if p.holds < 0 || len(p.done) == 0 {
		return 0
	}
	least := 1.0
	for _, done := range p.done {
		least = min(least, done)
	}
	return least
}
