package queuerabbit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/internal/amqpurl"
)

const (
	dialTimeout = 5 * time.Second
	heartbeat   = 10 * time.Second // unless the URL says otherwise
)

// maxHeld is how much a wire keeps back.
const maxHeld = 64 << 10

// A wire is a TCP connection that can be torn down whatever the client library waits
// for. While it is corked, small writes are kept back to go out together: the library
// writes every message by itself.
type wire struct {
	net.Conn

	once   sync.Once
	closed chan struct{}

	mu     sync.Mutex // of writes; Close does without it
	corked bool
	held   []byte
}

// Write implements net.Conn.
func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.corked && len(w.held)+len(b) <= maxHeld {
		w.held = append(w.held, b...)
		return len(b), nil
	}
	if err := w.release(); err != nil {
		return 0, err
	}
	return w.Conn.Write(b)
}

// release writes what was kept back. The caller holds mu.
func (w *wire) release() error {
	if len(w.held) == 0 {
		return nil
	}
	_, err := w.Conn.Write(w.held)
	w.held = w.held[:0]
	return err
}

func (w *wire) cork() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.corked = true
}

func (w *wire) uncork() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.corked = false
	if w.release() != nil {
		_ = w.Close() // whoever wrote that was told it went
	}
}

// Close implements net.Conn. It can be called again.
func (w *wire) Close() error {
	w.once.Do(func() {
		close(w.closed)
		_ = w.Conn.Close()
	})
	return nil
}

// dial connects to a broker that is new enough.
func dial(ctx context.Context, target *amqpurl.Target) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	s := &session{ended: make(chan struct{})}
	config := amqp.Config{
		Heartbeat:  heartbeat,
		Properties: amqp.Table{"product": "cohort", "connection_name": "cohort"},
		Dial: func(network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			s.raw = &wire{Conn: conn, closed: make(chan struct{})}
			deadline, _ := ctx.Deadline()
			return s.raw, s.raw.SetDeadline(deadline) // the library lifts it after the handshake
		},
	}
	conn, err := amqp.DialConfig(target.Reveal(), config)
	if err != nil {
		if s.raw != nil {
			_ = s.raw.Close()
		}
		return nil, plain(err, target)
	}
	s.conn = conn
	if err := checkVersion(conn.Properties["version"]); err != nil {
		s.end(ctx)
		return nil, err
	}
	return s, nil
}

// plain drops what an error may repeat of the URL.
func plain(err error, target *amqpurl.Target) error {
	if errors.Is(err, amqp.ErrCredentials) || errors.Is(err, amqp.ErrSASL) {
		return fmt.Errorf("%s refuses the user or the password: %w",
			target, &amqp.Error{Code: amqp.AccessRefused, Reason: "login refused"})
	}
	if e, ok := errors.AsType[*amqp.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e
	}
	if strings.Contains(err.Error(), target.Reveal()) {
		return fmt.Errorf("cannot connect to %s", target)
	}
	return err
}

// checkVersion reports a broker that lacks what this package builds on.
func checkVersion(property any) error {
	version, _ := property.(string)
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < 4 {
		return fmt.Errorf("%w: this one is %q, whose quorum queues drop or reorder what fails", ErrVersion, version)
	}
	return nil
}
