package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// answer is what a process says to one question.
type answer struct {
	Value  string
	Source string
	Took   time.Duration
	At     time.Time // when it was known
}

// process is one node, a child of this program. It ends when its input does.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func start(ctx context.Context, url string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, self, "-node", "-redis", url)}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	_, err = p.answer() // it is ready
	return p, err
}

func (p *process) ask(question string) { fmt.Fprintln(p.in, question) }

func (p *process) answer() (a answer, err error) {
	err = p.out.Decode(&a)
	return a, err
}

func (p *process) stop() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}
