package snowflake

import "time"

// Stats is the state of a Generator at one moment.
type Stats struct {
	Worker  int           // the worker number
	Ahead   time.Duration // how far the next ID is ahead of the clock; 0 if it is not
	Waiting int           // calls that wait now
	Waits   int64         // how often a call had to wait
	Rebinds int64         // how often the number was replaced
}

// Stats returns the state of g.
func (g *Generator) Stats() Stats {
	b := g.bound.Load()
	s := Stats{
		Worker:  b.worker.ID(),
		Waiting: int(g.waiting.Load()),
		Waits:   g.waits.Load(),
		Rebinds: g.rebinds.Load(),
	}
	if c := b.counter.Load(); !sealed(c) {
		s.Ahead = time.Duration(max(b.beginOf(b.tickOf(c))-b.worker.Now(), 0)) * time.Millisecond
	}
	return s
}
