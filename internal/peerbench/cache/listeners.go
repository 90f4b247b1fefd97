package cache

import (
	"context"
	"time"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// listeners is how many nodes hear of each write.
const listeners = 10

// heardWrites compares a write that ten nodes hear of with a plain SET.
func heardWrites() frame.Table {
	t := writes(64)
	t.Name += ", 10 nodes listen"
	t.Note = "All nodes are in this process, so that their work counts, too."
	t.Contenders = t.Contenders[:2]
	ours := t.Contenders[0].Open
	t.Contenders[0].Open = func(ctx context.Context, env *frame.Env) (frame.Cell, error) {
		var nodes []*node
		closeAll := func() {
			for _, n := range nodes {
				n.close()
			}
		}
		for range listeners - 1 {
			n, err := openNode(ctx, env.RedisURL, 10_000)
			if err != nil {
				closeAll()
				return frame.Cell{}, err
			}
			nodes = append(nodes, n)
		}
		cell, err := ours(ctx, env)
		if err != nil {
			closeAll()
			return frame.Cell{}, err
		}
		writer := cell.Close
		cell.Close = func() { writer(); closeAll() }
		return cell, nil
	}
	t.Contenders[1].Must = 0.6
	return t
}

// idle counts what a node sends to stay sure of its copies.
func idle() frame.Table {
	return frame.Table{
		Name: "a second of a node without work, MaxStaleness 1 s", Redis: true,
		Contenders: []frame.Contender{{Name: "cohort", Operations: 1, Open: func(ctx context.Context, env *frame.Env) (frame.Cell, error) {
			n, err := openNode(ctx, env.RedisURL, 1000)
			if err != nil {
				return frame.Cell{}, err
			}
			return frame.Cell{Close: n.close, Run: func(_ context.Context, count int, _ *frame.Meter) error {
				time.Sleep(time.Duration(count) * time.Second)
				return nil
			}}, nil
		}}},
	}
}
