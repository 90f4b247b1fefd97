//go:build unix

package main

import (
	"syscall"
	"time"
)

const canFreeze = true

// freeze stops the process without its knowledge, for a while.
func (p *process) freeze() error {
	p.thaw = time.Now().Add(frozenFor)
	return p.cmd.Process.Signal(syscall.SIGSTOP)
}

// goOn ends a freeze.
func (p *process) goOn() error {
	p.thaw = time.Time{}
	return p.cmd.Process.Signal(syscall.SIGCONT)
}
