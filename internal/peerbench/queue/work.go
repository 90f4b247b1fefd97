package queue

import (
	"context"
	"errors"
	"sync"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

func oneProducer(s system) (runFunc, func()) {
	payload := make([]byte, payloadSize)
	return frame.Each(func(ctx context.Context) error { return s.put(ctx, payload) }), func() {}
}

func manyProducers(s system) (runFunc, func()) {
	payload := make([]byte, payloadSize)
	return func(ctx context.Context, n int, _ *frame.Meter) error {
		errs := make([]error, workers)
		var wg sync.WaitGroup
		for i := range workers {
			wg.Go(func() {
				for range (n + workers - 1) / workers {
					errs[i] = errors.Join(errs[i], s.put(ctx, payload))
				}
			})
		}
		wg.Wait()
		return errors.Join(errs...)
	}, func() {}
}

// manyAtOnce stores batches of size.
func manyAtOnce(size int) workFunc {
	return func(s system) (runFunc, func()) {
		payload := make([]byte, payloadSize)
		return func(ctx context.Context, n int, _ *frame.Meter) error {
			for done := 0; done < n; done += size {
				if err := s.putMany(ctx, payload, min(size, n-done)); err != nil {
					return err
				}
			}
			return nil
		}, func() {}
	}
}

// wholeBacklog stores n messages, unmeasured, and handles them.
func wholeBacklog(s system) (runFunc, func()) {
	stop := func() {}
	return func(ctx context.Context, n int, m *frame.Meter) error {
		stop() // the workers of the round before, unmeasured
		if err := putAll(ctx, s, n); err != nil {
			return err
		}
		m.Restart()
		var err error
		stop, err = handleAll(ctx, s, n)
		return err
	}, func() { stop() }
}
