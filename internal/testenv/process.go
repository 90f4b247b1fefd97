package testenv

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A Process is a running program with its own process group. Its methods are
// safe for concurrent use.
type Process struct {
	name  string
	cmd   *exec.Cmd
	log   string        // file that takes what the program prints
	ended chan struct{} // closed when the program has ended
	err   error         // of the program; read after ended
	gone  atomic.Bool   // reaped: its number may belong to another process
	cold  atomic.Bool   // frozen
}

// launch starts cmd with its output, where cmd names none, in a file in dir.
func launch(name, dir string, cmd *exec.Cmd) (*Process, error) {
	log, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	cmd.Stderr = log
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = processAttr()
	}
	if err := owned.spawner.run(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{name: name, cmd: cmd, log: log.Name(), ended: make(chan struct{})}
	go p.reap()
	return p, nil
}

// reap waits for the program; it returns when that has ended.
func (p *Process) reap() {
	p.err = p.cmd.Wait()
	p.gone.Store(true)
	close(p.ended)
}

// PID is the number of the process and of its group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Freeze stops the process as a long pause would (SIGSTOP) and returns when no
// part of it runs any more. A process that has ended stays as it is.
func (p *Process) Freeze() {
	p.cold.Store(true)
	p.signal(syscall.SIGSTOP)
	for !p.gone.Load() && !stopped(p.PID()) {
		time.Sleep(100 * time.Microsecond)
	}
}

// Thaw lets a frozen process go on.
func (p *Process) Thaw() {
	p.cold.Store(false)
	p.signal(syscall.SIGCONT)
}

// runs reports whether the process is neither frozen nor gone.
func (p *Process) runs() bool { return !p.cold.Load() && !p.gone.Load() }

// Kill ends the process as a crash would (SIGKILL), frozen or not, and returns
// when it is gone.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// Wait returns how the process ended, once it has.
func (p *Process) Wait() error {
	<-p.ended
	return p.err
}

// Interrupt asks the process to end (SIGTERM) and returns at once.
func (p *Process) Interrupt() { p.signal(syscall.SIGTERM) }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

func (p *Process) signal(s syscall.Signal) {
	if !p.gone.Load() {
		_ = syscall.Kill(-p.PID(), s)
	}
}

// Log returns the last lines of what the program printed to its error stream,
// and of its output if that goes nowhere else.
func (p *Process) Log() string {
	const most = 4 << 10
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	if len(b) > most {
		b = b[len(b)-most:]
		b = b[bytes.IndexByte(b, '\n')+1:]
	}
	return string(b)
}

// endWith kills the process at the end of t and shows its log if t failed.
func (p *Process) endWith(t testing.TB) {
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.name, p.Log())
		}
	})
}

// awaitReady polls ready until it returns nil, the process ends, or patience is
// exhausted.
func (p *Process) awaitReady(patience time.Duration, ready func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended before it was ready:\n%s", p.name, p.Log())
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("%s is not ready after %v: %w", p.name, patience, err), errors.New(p.Log()))
		}
	}
}
