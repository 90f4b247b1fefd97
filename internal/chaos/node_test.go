package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

// closeWithin is what a node gives its Close.
const closeWithin = time.Second

// A life is one process of a node.
type life struct {
	name  string // "n1"
	count int    // 1, and one more after each restart
	nodes int
	dir   string
	store string // address of the ledger
	parts []string
	slow  bool // this node's handlers dawdle

	node   *cohort.Node
	finish chan struct{} // no new work
	end    chan struct{} // close

	closing atomic.Bool
}

// runNode is the main function of a node. Its arguments are the fields of a life and
// the variables of the node.
func runNode(args []string) {
	l := life{finish: make(chan struct{}), end: make(chan struct{})}
	variables := map[string]string{}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "-name":
			l.name = value
		case "-life":
			_, _ = fmt.Sscan(value, &l.count)
		case "-nodes":
			_, _ = fmt.Sscan(value, &l.nodes)
		case "-dir":
			l.dir = value
		case "-ledger":
			l.store = value
		case "-parts":
			l.parts = strings.Split(value, ",")
		case "-slow":
			l.slow = value == l.name
		default:
			variables[key] = value
		}
	}
	if err := l.run(variables); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (l *life) run(variables map[string]string) error {
	go l.obey()
	before := runtime.NumGoroutine()
	if err := l.open(variables); err != nil {
		return err
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	fmt.Println("ready")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var quiet, working sync.WaitGroup
	for _, part := range l.parts {
		j, err := l.journal(part)
		if err != nil {
			return err
		}
		quiet.Add(1)
		working.Go(func() { works[part](ctx, l, j, quiet.Done) })
	}
	go func() { quiet.Wait(); fmt.Println("finished") }()

	select {
	case <-l.end:
	case <-asked:
	}
	return l.close(before, stop, &working)
}

// close ends the node and tells how long that took and what it left behind.
func (l *life) close(before int, stop func(), working *sync.WaitGroup) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	l.closing.Store(true)
	start := time.Now()
	err := l.node.Close(ctx)
	took := time.Since(start)
	stop()
	working.Wait()
	left := 0
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if left = runtime.NumGoroutine() - before - 1; left <= 0 { // one for signals
			break
		}
	}
	if left > 0 {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "%s\n", stacks[:runtime.Stack(stacks, true)])
	}
	fmt.Println("closed", took.Milliseconds(), max(left, 0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "close:", err)
	}
	return nil
}

// open opens the node, again and again until it can.
func (l *life) open(variables map[string]string) error {
	j, err := l.journal("open")
	if err != nil {
		return err
	}
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		start := time.Now()
		l.node, err = cohort.Open(ctx, cohort.Options{
			Getenv: func(name string) string { return variables[name] },
			Layout: snowflake.Wide63(), Fresh: l.count == 1,
		})
		cancel()
		if err == nil {
			j.done()
			return nil
		}
		if errors.Is(err, workerid.ErrExhausted) {
			j.note("exhausted", time.Since(start).Microseconds())
		} else {
			j.failed(err)
		}
		select {
		case <-l.finish:
			return fmt.Errorf("not open when the work was over: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// obey reads what the parent orders. A parent that is gone ends the process.
func (l *life) obey() {
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		switch orders.Text() {
		case "finish":
			close(l.finish)
		case "end":
			close(l.end)
		}
	}
	os.Exit(3)
}

// until calls step at the given pace until the work is over, the node ends, or ctx
// does.
func (l *life) until(ctx context.Context, pace time.Duration, step func(ctx context.Context)) {
	every := time.NewTicker(pace)
	defer every.Stop()
	for {
		select {
		case <-l.finish:
			return
		case <-ctx.Done():
			return
		case <-every.C:
		}
		bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
		step(bounded)
		cancel()
	}
}
