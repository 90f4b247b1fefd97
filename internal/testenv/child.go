package testenv

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// A ChildProcess runs a function of this test binary as a process of its own.
// What the function prints to its output are lines to the test; what it prints
// to its error stream is shown if the test fails.
type ChildProcess struct {
	*Process

	lines chan string
	input io.WriteCloser
}

// Child starts the function that [Main] knows under name. The process is killed
// at the end of t.
func Child(t testing.TB, name string, args ...string) *ChildProcess {
	t.Helper()
	owned.check(t)
	c, err := startChild(t, name, args)
	if err != nil {
		t.Fatalf("testenv: child %s: %v", name, err)
	}
	return c
}

func startChild(t testing.TB, name string, args []string) (*ChildProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	output, childOutput, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer childOutput.Close()
	childInput, input, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer childInput.Close()

	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	cmd.Stdin, cmd.Stdout = childInput, childOutput
	p, err := launch(name, t.TempDir(), cmd)
	if err != nil {
		return nil, err
	}
	c := &ChildProcess{Process: p, lines: make(chan string, 1024), input: input}
	ctx, cancel := context.WithCancel(context.Background())
	read := make(chan struct{})
	go func() {
		defer close(read)
		c.read(ctx, output)
	}()
	t.Cleanup(func() {
		cancel()
		_ = input.Close()
		_ = output.Close()
		<-read
	})
	p.endWith(t)
	return c, nil
}

// read hands the child's lines on; it ends with the child's output or with ctx.
func (c *ChildProcess) read(ctx context.Context, output io.Reader) {
	defer close(c.lines)
	scanner := bufio.NewScanner(output)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		select {
		case c.lines <- scanner.Text():
		case <-ctx.Done():
			return
		}
	}
}

// Lines yields what the child prints, line by line, and is closed after its
// end. A child blocks when nobody takes its lines.
func (c *ChildProcess) Lines() <-chan string { return c.lines }

// Line returns the next line. It fails t if the child ends before, or prints
// nothing within 30 seconds.
func (c *ChildProcess) Line(t testing.TB) string {
	t.Helper()
	select {
	case line, ok := <-c.lines:
		if !ok {
			t.Fatalf("child %s ended without the line that was waited for", c.name)
		}
		return line
	case <-time.After(30 * time.Second):
		t.Fatalf("child %s printed nothing for 30s", c.name)
	}
	return ""
}

// Send gives the child a line on its input.
func (c *ChildProcess) Send(line string) error {
	_, err := fmt.Fprintln(c.input, line)
	return err
}
