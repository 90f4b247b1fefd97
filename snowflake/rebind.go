package snowflake

import (
	"errors"

	"github.com/cohort-go/cohort/workerid"
)

// Rebind makes g go on as worker, with later IDs than any that it has made, after
// the old number was lost or before it is released. Those who wait in Next go on
// with the new number. The errors are those of New, and then g is as it was.
func (g *Generator) Rebind(worker workerid.Worker) error {
	if worker == nil {
		return g.fail("rebind", errors.New("worker is nil"))
	}
	if err := g.opts.check(worker); err != nil {
		return &OpError{Op: "rebind", Worker: worker.ID(), Err: err}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return g.fail("rebind", ErrClosed)
	}
	old := g.bound.Load()
	old.ceiling.Store(0)
	g.bound.Store(newBinding(worker, g.opts, old.next()))
	g.rebinds.Add(1)
	close(g.changed)
	g.changed = make(chan struct{})
	return nil
}
