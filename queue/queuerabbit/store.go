package queuerabbit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
	"github.com/cohort-go/cohort/internal/lifecycle"
	"github.com/cohort-go/cohort/queue"
)

var (
	_ queue.Backend  = (*store)(nil)
	_ queue.Waiter   = (*store)(nil)
	_ queue.Notifier = (*store)(nil)
)

// store is the Backend of one queue.
type store struct {
	conn  *Conn
	opts  Options
	names names
	life  *lifecycle.Group
	log   *slog.Logger

	declaring sync.Mutex
	declared  map[*session]bool

	opening   sync.Mutex
	publisher *publisher

	intake  *intake
	losses  chan struct{}
	looking chan struct{} // full while the process looks at the dead
}

// New returns a Queue on conn, which it borrows: Close of the Queue leaves it open. It
// does no I/O.
func New(conn *Conn, name string, opts Options) (queue.Queue, error) {
	b, err := NewBackend(conn, name, opts)
	if err != nil {
		return nil, err
	}
	return queue.New(name, b, opts.Options)
}

// NewBackend returns the backend alone, for a wrapper around it and [queue.New].
func NewBackend(conn *Conn, name string, opts Options) (queue.Backend, error) {
	if conn == nil {
		return nil, errors.New("queuerabbit: conn is nil")
	}
	opts, err := opts.withDefaults(name)
	if err != nil {
		return nil, fmt.Errorf("queuerabbit: %w", err)
	}
	s := &store{
		conn: conn, opts: opts, names: namesOf(opts.Namespace, name), life: lifecycle.New(queue.ErrClosed),
		log: opts.Logger, declared: map[*session]bool{}, losses: make(chan struct{}, 1),
		looking: make(chan struct{}, 1),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.intake = newIntake(s)
	return s, nil
}

// delays reports whether the queue uses the ladder.
func (s *store) delays() bool { return !s.opts.Ordered && s.opts.MaxLen == 0 }

// Capabilities implements queue.Backend.
func (s *store) Capabilities() queue.Capabilities {
	can := queue.CanIsolate | queue.CanKeepDead | queue.CanCount | queue.CanPurge
	if s.delays() {
		can |= queue.CanDelay
	}
	return queue.Capabilities{Can: can, Levels: 1, Grain: grain, Pipelined: true}
}

// Losses implements queue.Notifier.
func (s *store) Losses() <-chan struct{} { return s.losses }

// Close implements queue.Backend. What is held goes back with its channel.
func (s *store) Close(ctx context.Context) error {
	return s.life.Close(ctx, func(ctx context.Context) error {
		s.intake.close(ctx)
		s.opening.Lock()
		p := s.publisher
		s.opening.Unlock()
		if p == nil {
			return nil
		}
		closed := make(chan struct{})
		go func() { // ends with the broker's answer, or with the connection
			defer close(closed)
			_ = p.ch.Close()
		}()
		select {
		case <-closed:
		case <-p.ended:
		case <-ctx.Done():
		}
		return nil
	})
}

// publishing returns the channel to publish on, with all that the queue needs declared.
func (s *store) publishing(ctx context.Context) (*publisher, error) {
	on, err := s.conn.publish.await(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.declare(ctx, on); err != nil {
		return nil, err
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	if p := s.publisher; p != nil && p.session == on {
		select {
		case <-p.ended:
		default:
			return p, nil
		}
	}
	p, err := obtain(ctx, on, newPublisher, func(p *publisher) { _ = p.ch.Close() })
	if err == nil {
		s.publisher = p
	}
	return p, err
}

// obtain returns what get makes of the session, and gives up on it when ctx or the
// connection ends: then drop has what comes after all.
func obtain[T any](ctx context.Context, on *session, get func(*session) (T, error), drop func(T)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() { // ends with the session at the latest
		v, err := get(on)
		done <- result{v, err}
	}()
	err := errUnsent
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-on.ended:
	}
	go func() {
		if r := <-done; r.err == nil {
			drop(r.v)
		}
	}()
	var none T
	return none, err
}

// within calls f, which asks the broker, and gives up on it when ctx or the connection
// ends. f goes on then, so it must not touch what its caller has.
func within(ctx context.Context, on *session, f func() error) error {
	_, err := obtain(ctx, on, func(*session) (struct{}, error) { return struct{}{}, f() }, func(struct{}) {})
	return err
}

// send publishes items, again while nothing was sent, as long as ctx allows.
func (s *store) send(ctx context.Context, items []*outgoing) []error {
	errs := make([]error, len(items))
	open := make([]int, len(items)) // positions in items
	for i := range items {
		open[i] = i
	}
	resend := backoff.Policy{Base: 50 * time.Millisecond, Max: time.Second, Jitter: 0.3}
	for attempt := 0; ; attempt++ {
		batch := items
		if attempt > 0 {
			batch = make([]*outgoing, len(open))
			for i, at := range open { // its numbers are those of another channel
				batch[i] = items[at].again()
			}
		}
		got := s.sendOnce(ctx, batch)
		var again []int
		for i, err := range got {
			errs[open[i]] = err
			switch {
			case errors.Is(err, errUnsent):
				again = append(again, open[i])
			case errors.Is(err, ErrUnroutable) && attempt < 3:
				s.forgetDeclared() // the queue has been deleted
				again = append(again, open[i])
			}
		}
		if len(again) == 0 || ctx.Err() != nil {
			return errs
		}
		open = again
		if attempt > 0 {
			_ = backoff.Sleep(ctx, resend.Delay(attempt-1)) // the end of ctx shows above
		}
	}
}

func (s *store) sendOnce(ctx context.Context, items []*outgoing) []error {
	p, err := s.publishing(ctx)
	if err == nil {
		return p.publish(ctx, items)
	}
	if !permanent(err) && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errUnsent, err)
	}
	return same(items, err)
}
