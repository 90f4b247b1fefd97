package ids

import (
	"context"
	"sync/atomic"
	"time"

	bwmarrinflake "github.com/bwmarrin/snowflake"
	"github.com/google/uuid"
	"github.com/sony/sonyflake/v2"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

func bwmarrin(context.Context, *frame.Env) (frame.Cell, error) {
	bwmarrinflake.NodeBits, bwmarrinflake.StepBits = 1, 21 // it has no other way
	node, err := bwmarrinflake.NewNode(1)
	return frame.Cell{Run: func(_ context.Context, n int, _ *frame.Meter) error {
		for range n {
			node.Generate()
		}
		return nil
	}}, err
}

func sony(context.Context, *frame.Env) (frame.Cell, error) {
	s, err := sonyflake.New(sonyflake.Settings{
		BitsSequence: 21, BitsMachineID: 1, TimeUnit: time.Millisecond,
		StartTime: time.Date(2020, 11, 10, 16, 0, 0, 0, time.UTC),
		MachineID: func() (int, error) { return 1, nil },
	})
	return frame.Cell{Run: func(_ context.Context, n int, _ *frame.Meter) error {
		for range n {
			if _, err := s.NextID(); err != nil {
				return err
			}
		}
		return nil
	}}, err
}

func uuid7(context.Context, *frame.Env) (frame.Cell, error) {
	return frame.Cell{Run: func(_ context.Context, n int, _ *frame.Meter) error {
		for range n {
			if _, err := uuid.NewV7(); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

func atomicAdd(context.Context, *frame.Env) (frame.Cell, error) {
	var counter atomic.Int64
	return frame.Cell{Run: func(_ context.Context, n int, _ *frame.Meter) error {
		for range n {
			counter.Add(1)
		}
		return nil
	}}, nil
}
