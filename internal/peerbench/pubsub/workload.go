package pubsub

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// A message has 128 bytes, the first of which are the time at which it was sent.
const size = 128

// callers publish perCall messages at a time, each on its own.
const (
	callers = 4
	perCall = 64
)

// network is a contender: one publisher, and nodes that hear it.
type network struct {
	publish func(ctx context.Context, payloads [][]byte) error
	close   func()
}

// open starts a network of so many nodes. heard is called for each message on
// each node, one at a time per node.
type open func(ctx context.Context, url string, nodes int, heard func(node int, payload []byte)) (*network, error)

// arrivals counts what the nodes heard.
type arrivals struct {
	heard   atomic.Int64
	want    atomic.Int64
	all     chan struct{}
	observe atomic.Pointer[frame.Meter]
}

func (a *arrivals) hear(_ int, payload []byte) {
	if m := a.observe.Load(); m != nil {
		m.Observe(time.Duration(time.Now().UnixNano() - int64(binary.BigEndian.Uint64(payload))))
	}
	if a.heard.Add(1) == a.want.Load() {
		a.all <- struct{}{}
	}
}

// await waits until as many messages were heard as expect said.
func (a *arrivals) await(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	select {
	case <-a.all:
		return nil
	case <-limit.Done():
		return fmt.Errorf("%d of %d messages heard: %w", a.heard.Load(), a.want.Load(), limit.Err())
	}
}

func (a *arrivals) expect(n int) {
	a.heard.Store(0)
	a.want.Store(int64(n))
}

// steady publishes one message at a time at the rate, and measures how long each
// takes to each node.
func steady(nodes int, open open) func(context.Context, *frame.Env) (frame.Cell, error) {
	return cell(nodes, open, func(ctx context.Context, net *network, a *arrivals, n int, m *frame.Meter) error {
		a.observe.Store(m)
		defer a.observe.Store(nil)
		tick := time.NewTicker(time.Second / rate)
		defer tick.Stop()
		for range n {
			<-tick.C
			if err := net.publish(ctx, [][]byte{payload()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// flood publishes as fast as it can.
func flood(nodes int, open open) func(context.Context, *frame.Env) (frame.Cell, error) {
	return cell(nodes, open, func(ctx context.Context, net *network, _ *arrivals, n int, _ *frame.Meter) error {
		var left atomic.Int64
		left.Store(int64(n))
		errs := make(chan error, callers)
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for {
					k := min(perCall, left.Add(-perCall)+perCall)
					if k <= 0 {
						return
					}
					batch := make([][]byte, k)
					for i := range batch {
						batch[i] = payload()
					}
					if err := net.publish(ctx, batch); err != nil {
						errs <- err
						return
					}
				}
			})
		}
		wg.Wait()
		close(errs)
		return <-errs
	})
}

func cell(nodes int, open open, work func(context.Context, *network, *arrivals, int, *frame.Meter) error) func(context.Context, *frame.Env) (frame.Cell, error) {
	return func(ctx context.Context, env *frame.Env) (frame.Cell, error) {
		a := &arrivals{all: make(chan struct{}, 1)}
		net, err := open(ctx, env.RedisURL, nodes, a.hear)
		if err != nil {
			return frame.Cell{}, err
		}
		return frame.Cell{
			Run: func(ctx context.Context, n int, m *frame.Meter) error {
				a.expect(n * nodes)
				if err := work(ctx, net, a, n, m); err != nil {
					return err
				}
				return a.await(ctx)
			},
			Close: net.close,
		}, nil
	}
}

func payload() []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint64(b, uint64(time.Now().UnixNano()))
	return b
}
