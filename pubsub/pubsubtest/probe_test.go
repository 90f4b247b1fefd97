package pubsubtest

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// probe is a testing.TB that remembers failures instead of reporting them.
type probe struct {
	testing.TB

	ctx context.Context

	mu      sync.Mutex
	bad     bool
	cleanup []func()
}

func (p *probe) Context() context.Context { return p.ctx }
func (p *probe) Helper()                  {}
func (p *probe) Error(...any)             { p.fail() }
func (p *probe) Errorf(string, ...any)    { p.fail() }
func (p *probe) Fatal(...any)             { p.fail(); runtime.Goexit() }
func (p *probe) Fatalf(string, ...any)    { p.fail(); runtime.Goexit() }

func (p *probe) fail() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bad = true
}

func (p *probe) failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bad
}

func (p *probe) Cleanup(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanup = append(p.cleanup, f)
}

func (p *probe) cleanUp() {
	for _, f := range slices.Backward(p.cleanup) {
		f()
	}
}
