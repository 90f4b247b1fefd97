package ids

import (
	"context"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

func wide63(ctx context.Context, _ *frame.Env) (frame.Cell, error) {
	return generator(ctx, snowflake.Wide63())
}

// unlimited has the bits of the peers.
func unlimited() snowflake.Layout {
	layout := snowflake.Wide63()
	layout.WorkerBits, layout.SequenceBits = 1, 21
	return layout
}

func next(ctx context.Context, _ *frame.Env) (frame.Cell, error) {
	return generator(ctx, unlimited())
}

func generator(ctx context.Context, layout snowflake.Layout) (frame.Cell, error) {
	g, err := open(ctx, layout)
	if err != nil {
		return frame.Cell{}, err
	}
	return frame.Cell{
		Run: func(ctx context.Context, n int, _ *frame.Meter) error {
			for range n {
				if _, err := g.Next(ctx); err != nil {
					return err
				}
			}
			return nil
		},
		Close: g.Close,
	}, nil
}

func row(ctx context.Context, _ *frame.Env) (frame.Cell, error) {
	g, err := open(ctx, unlimited())
	if err != nil {
		return frame.Cell{}, err
	}
	ids := make([]snowflake.ID, 256)
	return frame.Cell{
		Run: func(ctx context.Context, n int, _ *frame.Meter) error {
			for ; n > 0; n -= len(ids) {
				if err := g.Fill(ctx, ids[:min(n, len(ids))]); err != nil {
					return err
				}
			}
			return nil
		},
		Close: g.Close,
	}, nil
}

// open returns a generator that has made its first ID.
func open(ctx context.Context, layout snowflake.Layout) (*snowflake.Generator, error) {
	g, err := snowflake.New(workerid.Static(1), snowflake.Options{Layout: layout})
	if err != nil {
		return nil, err
	}
	_, err = g.Next(ctx)
	return g, err
}
