package lockredis

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/backoff"
	"github.com/cohort-go/cohort/internal/rediserr"
	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/lock"
)

// A listener receives the events of one process over one subscription, which is
// made at the first contention and kept.
type listener struct {
	borrowed redis.UniversalClient
	own      string // the channel of this process
	events   lock.Events
	warn     *slog.Logger
	state    atomic.Int32

	mu      sync.Mutex
	sub     *redis.PubSub
	settled chan struct{} // closed when the first answer to the subscription came
	stopped chan struct{} // closed when receive has returned
	closed  bool
}

// What a listener hears.
const (
	silent  int32 = iota // not subscribed yet
	hearing              // subscribed
	refused              // the server does not let it subscribe
)

func (l *listener) hears() int32 { return l.state.Load() }

func (l *listener) start(c redis.UniversalClient, channel string, events lock.Events, log *slog.Logger) {
	l.borrowed, l.own, l.events, l.warn = c, channel, events, log
	l.settled, l.stopped = make(chan struct{}), make(chan struct{})
}

// Listen implements lock.Listener.
func (l *listener) Listen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sub != nil || l.closed {
		return
	}
	l.sub = l.borrowed.Subscribe(context.Background()) // sends nothing yet
	go l.receive(l.sub)
}

// listen subscribes and returns when the server has confirmed it or refused.
func (l *listener) listen(ctx context.Context) error {
	l.Listen()
	select {
	case <-l.settled:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if l.isClosed() {
		return lock.ErrClosed
	}
	return nil
}

// receive subscribes and takes the messages; it ends when the subscription is
// closed or refused.
func (l *listener) receive(sub *redis.PubSub) {
	defer close(l.stopped)
	_ = sub.Subscribe(context.Background(), l.own) // Receive tries again
	settle := sync.OnceFunc(func() { close(l.settled) })
	defer settle()
	pause := backoff.Policy{Base: time.Millisecond, Max: 250 * time.Millisecond, Jitter: 0.5}
	for failures := 0; ; {
		message, err := sub.Receive(context.Background())
		switch {
		case l.isClosed():
			return
		case err != nil && !rediserr.Retryable(err):
			l.warn.Warn("lockredis: no subscription, waiters will poll", "err", err)
			l.state.Store(refused)
			return
		case err != nil:
			_ = backoff.Sleep(context.Background(), pause.Delay(failures))
			failures++
		default:
			failures = 0
			l.take(message, settle)
		}
	}
}

// take handles one message. A confirmation of the subscription means that there
// was none before.
func (l *listener) take(message any, settle func()) {
	switch m := message.(type) {
	case *redis.Subscription:
		l.state.Store(hearing)
		settle()
		l.events.Missed()
	case *redis.Message:
		if err := l.event(m.Payload); err != nil {
			l.warn.Warn("lockredis: message ignored", "err", err)
		}
	}
}

// event passes one published event on.
func (l *listener) event(payload string) error {
	if token, ok := strings.CutPrefix(payload, "w "); ok {
		l.events.Contended(token)
		return nil
	}
	g, err := parseGrant(payload)
	if err != nil {
		return err
	}
	l.events.Granted(g)
	return nil
}

// parseGrant reads "g token fence ttl waiters permits name".
func parseGrant(payload string) (lock.Grant, error) {
	f := strings.SplitN(payload, " ", 7)
	if len(f) != 7 || f[0] != "g" || len(f[1]) != lock.TokenLen {
		return lock.Grant{}, fmt.Errorf("no event: %q", payload)
	}
	var n [4]uint64
	for i := range n {
		v, err := strconv.ParseUint(f[2+i], 10, 62)
		if err != nil {
			return lock.Grant{}, fmt.Errorf("no grant: %w", err)
		}
		n[i] = v
	}
	name, err := rediskey.Decode(f[6])
	if err != nil {
		return lock.Grant{}, fmt.Errorf("no grant: %w", err)
	}
	const day = uint64(24 * time.Hour / time.Millisecond)
	return lock.Grant{
		Name: name, Token: f[1], Fence: n[0],
		TTL:     time.Duration(min(n[1], 365*day)) * time.Millisecond,
		Waiters: int(min(n[2], 1<<30)), Permits: int(min(n[3], 1<<30)),
	}, nil
}

func (l *listener) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// close ends the subscription and waits for receive.
func (l *listener) close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	sub := l.sub
	l.mu.Unlock()
	if sub == nil {
		return nil
	}
	err := sub.Close()
	select {
	case <-l.stopped:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
