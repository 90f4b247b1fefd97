package queuerabbit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/internal/amqpurl"
	"github.com/cohort-go/cohort/internal/backoff"
	"github.com/cohort-go/cohort/internal/lifecycle"
)

// A link keeps one connection alive, from its first use to the end of life.
type link struct {
	name    string
	life    *lifecycle.Group
	targets []*amqpurl.Target
	log     *slog.Logger
	begin   sync.Once

	mu      sync.Mutex
	session *session
	err     error         // of the last attempt
	changed chan struct{} // closed with the next change of session or err
}

func newLink(name string, life *lifecycle.Group, targets []*amqpurl.Target, log *slog.Logger) *link {
	return &link{name: name, life: life, targets: targets, log: log, changed: make(chan struct{})}
}

// await returns the session, waiting for one as long as ctx allows. An error that
// will not go away is returned at once.
func (l *link) await(ctx context.Context) (*session, error) {
	l.begin.Do(func() { l.life.Go("amqp "+l.name, l.keep) })
	for {
		s, changed, err := l.state()
		switch {
		case s != nil:
			return s, nil
		case err != nil && permanent(err):
			return nil, err
		}
		select {
		case <-changed:
		case <-l.life.Context().Done():
			return nil, errClosedConn
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), err)
		}
	}
}

func (l *link) state() (*session, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session, l.changed, l.err
}

func (l *link) set(s *session, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.session, l.err = s, err
	close(l.changed)
	l.changed = make(chan struct{})
}

// keep connects, and connects again, until ctx ends.
func (l *link) keep(ctx context.Context) {
	pause := backoff.Policy{Base: 100 * time.Millisecond, Max: 5 * time.Second, Jitter: 0.5}
	for attempt := 0; ctx.Err() == nil; attempt++ {
		target := l.targets[attempt%len(l.targets)]
		s, err := dial(ctx, target)
		if err != nil {
			l.set(nil, err)
			if attempt == 0 {
				l.log.Warn("no connection to RabbitMQ", "to", l.name, "server", target.String(), "error", err)
			}
			_ = backoff.Sleep(ctx, pause.Delay(attempt/len(l.targets)))
			continue
		}
		l.log.Info("connected to RabbitMQ", "to", l.name, "server", target.String())
		if ctx.Err() != nil {
			_ = s.raw.Close()
			return
		}
		l.set(s, nil)
		err = s.watch(ctx)
		l.set(nil, err)
		if ctx.Err() == nil {
			l.log.Warn("connection to RabbitMQ lost", "to", l.name, "server", target.String(), "error", err)
		}
		attempt = -1
	}
}

// end closes the connection in order, if the broker answers within ctx.
func (l *link) end(ctx context.Context) {
	if s, _, _ := l.state(); s != nil {
		s.end(ctx)
	}
	l.set(nil, errClosedConn)
}

// A session is one life of a connection.
type session struct {
	conn  *amqp.Connection
	raw   *wire
	ended chan struct{} // closed when the connection is gone

	mu      sync.Mutex
	blocked string        // why the broker blocks publishers, "" if it does not
	free    chan struct{} // closed when it does not any more
}

// watch follows the connection until it is gone, or ctx is.
func (s *session) watch(ctx context.Context) error {
	defer close(s.ended)
	closed := s.conn.NotifyClose(make(chan *amqp.Error, 1))
	blocked := s.conn.NotifyBlocked(make(chan amqp.Blocking, 8))
	for {
		select {
		case b, ok := <-blocked:
			if !ok {
				blocked = nil
				continue
			}
			s.block(b)
		case err := <-closed:
			_ = s.raw.Close()
			if err == nil {
				return errors.New("closed")
			}
			return err
		case <-ctx.Done():
			select { // whoever ends the link closes the connection in order
			case <-closed: //nolint:errcheck // whatever it says, the link ends //nolint:errcheck // whatever it says, the link ends
			case <-s.raw.closed:
			case <-time.After(time.Second): // it was made too late for that
			}
			_ = s.raw.Close()
			return context.Cause(ctx)
		}
	}
}

func (s *session) block(b amqp.Blocking) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case b.Active && s.blocked == "":
		s.blocked, s.free = b.Reason, make(chan struct{})
	case !b.Active && s.blocked != "":
		s.blocked = ""
		close(s.free)
	}
}

// blockedFor says why publishers are blocked, "" if they are not.
func (s *session) blockedFor() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blocked
}

// awaitFree waits while the broker blocks publishers.
func (s *session) awaitFree(ctx context.Context) error {
	s.mu.Lock()
	why, free := s.blocked, s.free
	s.mu.Unlock()
	if why == "" {
		return nil
	}
	select {
	case <-free:
		return nil
	case <-s.ended:
		return nil // the next session decides
	case <-ctx.Done():
		return fmt.Errorf("%w (%s): %w", ErrBlocked, why, context.Cause(ctx))
	}
}

// end closes the connection in order within ctx, and hard after it.
func (s *session) end(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = s.raw.Close() })
	defer stop()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(5 * time.Second)
	}
	_ = s.conn.CloseDeadline(deadline) // gone either way
	_ = s.raw.Close()
}
