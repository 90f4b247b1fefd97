package main

import (
	"bytes"
	"io"
	"regexp"
	"sync"
)

// A ledger passes on what all processes print and notes the jobs that workers did. A
// job that a killed worker did and could not acknowledge is done twice, and counts once.
type ledger struct {
	out    io.Writer
	victim string        // a worker
	atWork chan struct{} // closed when the victim has done a job

	mu   sync.Mutex
	done map[string]bool
}

var didJob = regexp.MustCompile(`^(worker\S*) +did job (\d+)`)

// Write implements io.Writer for whole lines.
func (l *ledger) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if job := didJob.FindSubmatch(line); job != nil {
		l.done[string(job[2])] = true
		if string(job[1]) == l.victim {
			l.victim = ""
			close(l.atWork)
		}
	}
	return l.out.Write(line)
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.done)
}

// An account is the part of one process, which may print in pieces.
type account struct {
	*ledger
	rest []byte
}

// Write implements io.Writer.
func (a *account) Write(b []byte) (int, error) {
	a.rest = append(a.rest, b...)
	for {
		line, rest, found := bytes.Cut(a.rest, []byte("\n"))
		if !found {
			return len(b), nil
		}
		if _, err := a.ledger.Write(append(bytes.Clone(line), '\n')); err != nil {
			return 0, err
		}
		a.rest = rest
	}
}
