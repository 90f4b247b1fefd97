package snowflake

import "context"

// Fill fills ids with IDs in ascending order: all of them, or none and an error as
// from Next; then ids is all zeros. It takes whole rows of the sequence at once,
// which is faster than Next. More IDs than the Layout has for the time until
// MaxAhead take as long as the ticks that they need.
func (g *Generator) Fill(ctx context.Context, ids []ID) error {
	for rest := ids; len(rest) > 0; {
		b := g.bound.Load()
		first, count := b.takeUpTo(uint64(len(rest)))
		if count == 0 {
			if err := g.awaitAny(ctx); err != nil {
				clear(ids)
				return g.fail("fill", err)
			}
			continue
		}
		b.row(rest[:count], first)
		rest = rest[count:]
		if first/glanceEvery != (first+count)/glanceEvery {
			g.glance()
		}
	}
	return nil
}

// awaitAny waits until there may be a counter to take.
func (g *Generator) awaitAny(ctx context.Context) error {
	g.mu.Lock()
	h := g.survey()
	g.mu.Unlock()
	if h.err == nil {
		return nil
	}
	return g.await(ctx, h)
}
