// Command leader elects a leader among processes of itself, kills it hard, and
// shows that the other takes over with a larger term.
//
//	go run ./examples/leader
//	REDIS_URL=redis://localhost:6379 go run ./examples/leader
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"github.com/cohort-go/cohort/internal/embedded"
)

// The arguments of a process that is a candidate follow this one: its name and
// the URL of Redis.
const candidateCommand = "candidate"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if len(os.Args) == 4 && os.Args[1] == candidateCommand {
		err = candidate(ctx, os.Args[2], os.Args[3], os.Stdin, os.Stdout)
	} else {
		err = election(ctx, os.Getenv("REDIS_URL"), os.Stdout)
	}
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "leader:", err)
		os.Exit(1)
	}
}

// election starts two candidates and kills the first leader.
func election(ctx context.Context, url string, out io.Writer) error {
	if url == "" {
		server, err := embedded.Start()
		if err != nil {
			return err
		}
		defer server.Close()
		url = server.URL()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // kills who still runs
	announced := make(chan announcement)
	processes := map[string]*exec.Cmd{}
	for _, name := range []string{"alpha", "beta"} {
		cmd, err := start(ctx, name, url, announced)
		if err != nil {
			return err
		}
		defer func() { _ = cmd.Wait() }()
		processes[name] = cmd
	}
	defer cancel()
	first, err := next(ctx, announced)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s leads\n", first.name)
	time.Sleep(500 * time.Millisecond)
	killed := time.Now()
	if err := processes[first.name].Process.Kill(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is killed\n", first.name)
	second, err := next(ctx, announced)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s leads after %v, with a larger term: %v\n",
		second.name, time.Since(killed).Round(100*time.Millisecond), second.term > first.term)
	return nil
}

// An announcement says who leads.
type announcement struct {
	name string
	term uint64
}

func next(ctx context.Context, announced <-chan announcement) (announcement, error) {
	select {
	case a := <-announced:
		return a, nil
	case <-time.After(20 * time.Second):
		return announcement{}, errors.New("nobody leads")
	case <-ctx.Done():
		return announcement{}, context.Cause(ctx)
	}
}

// start runs a candidate as a process that ends with ctx.
func start(ctx context.Context, name, url string, announced chan<- announcement) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, candidateCommand, name, url)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // its end tells the candidate that we have ended
		return nil, err
	}
	lines, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { // ends with the process
		for s := bufio.NewScanner(lines); s.Scan(); {
			a := announcement{name: name}
			if _, err := fmt.Sscan(s.Text(), &a.term); err == nil {
				select {
				case announced <- a:
				case <-ctx.Done():
				}
			}
		}
	}()
	return cmd, nil
}
