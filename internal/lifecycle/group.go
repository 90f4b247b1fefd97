// Package lifecycle owns what an object runs: its operations, its goroutines and
// the fact that it was closed.
package lifecycle

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Group counts the running operations and goroutines of one object and ends
// them. All methods are safe for concurrent use.
type Group struct {
	closedErr error
	ctx       context.Context // the life of the object
	cancel    context.CancelCauseFunc
	leave     func() // ends one operation; made once, so that Enter does not allocate

	mu      sync.Mutex
	closing bool
	running map[string]int // by name
	idle    chan struct{}  // closed once nothing runs after Close began
}

// operation is the name under which Enter counts.
const operation = "operation"

// grace is what Close allows beyond its ctx for functions that have just seen
// the ctx end to return.
const grace = 50 * time.Millisecond

// New returns a Group whose Enter reports closedErr once Close began.
func New(closedErr error) *Group {
	ctx, cancel := context.WithCancelCause(context.Background())
	g := &Group{
		closedErr: closedErr,
		ctx:       ctx,
		cancel:    cancel,
		running:   make(map[string]int),
		idle:      make(chan struct{}),
	}
	g.leave = func() { g.end(operation) }
	return g
}

// Enter begins an operation that Close waits for, or reports the Group's error
// if Close began. The caller calls leave exactly once.
func (g *Group) Enter() (leave func(), err error) {
	if !g.start(operation) {
		return nil, g.closedErr
	}
	return g.leave, nil
}

// Go runs f on its own goroutine. The ctx of f ends when Close begins, with the
// Group's error as its cause; Close waits for f and names it if f stays. Go
// reports false, and does not run f, once Close began.
func (g *Group) Go(name string, f func(ctx context.Context)) bool {
	if !g.start(name) {
		return false
	}
	go func() {
		defer g.end(name)
		f(g.ctx)
	}()
	return true
}

// Context ends when Close begins; its cause is the Group's error.
func (g *Group) Context() context.Context { return g.ctx }

// Close refuses new work, ends the Group's context, runs release, and waits for
// all that runs. It returns the error of release, joined, if ctx ended first,
// with an error that names what still runs; it is never late by more than a
// fraction of a second, even if release ignores its ctx. A nil release is
// allowed. Later calls wait in the same way and do not run release again.
func (g *Group) Close(ctx context.Context, release func(ctx context.Context) error) error {
	released := make(chan error, 1)
	if g.beginClose(release != nil) {
		g.cancel(g.closedErr)
		if release != nil {
			go func() {
				defer g.end("release")
				released <- release(ctx)
			}()
		}
	}
	stuck := g.wait(ctx)
	select {
	case err := <-released:
		if stuck == nil {
			return err
		}
		if err != nil {
			return fmt.Errorf("%w; %w", err, stuck)
		}
	default:
	}
	return stuck
}

// beginClose reports whether this call is the first, which then counts release.
func (g *Group) beginClose(release bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		return false
	}
	g.closing = true
	if release {
		g.running["release"]++
	}
	if len(g.running) == 0 {
		close(g.idle)
	}
	return true
}

func (g *Group) wait(ctx context.Context) error {
	select {
	case <-g.idle:
		return nil
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case <-g.idle:
		return nil
	case <-late.C:
		return fmt.Errorf("%w while still running: %s", context.Cause(ctx), g.names())
	}
}

func (g *Group) start(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		return false
	}
	g.running[name]++
	return true
}

func (g *Group) end(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running[name]--
	if g.running[name] == 0 {
		delete(g.running, name)
	}
	if g.closing && len(g.running) == 0 {
		close(g.idle)
	}
}

func (g *Group) names() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []string
	for _, name := range slices.Sorted(maps.Keys(g.running)) {
		if n := g.running[name]; n > 1 {
			name = fmt.Sprintf("%s (%d)", name, n)
		}
		list = append(list, name)
	}
	return strings.Join(list, ", ")
}
