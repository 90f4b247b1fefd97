package lockredis

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/lifecycle"
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
	feed     atomic.Pointer[feed] // the one that was confirmed last
	pulse    *pulse
	life     *lifecycle.Group

	begin   func() // the first subscription
	settled chan struct{}
	settle  func() // closes settled: the first answer to a subscription came
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
	l.pulse, l.life = newPulse(), lifecycle.New(lock.ErrClosed)
	l.settled = make(chan struct{})
	l.settle = sync.OnceFunc(func() { close(l.settled) })
	l.begin = sync.OnceFunc(func() { l.open() })
}

// Listen implements lock.Listener. A holder with waiters of its own must hear that
// others wait, who rely on that for no longer than on their poll.
func (l *listener) Listen() {
	l.begin()
	now := time.Now()
	l.pulse.relied(now, now.Add(-partSilence*longestPoll), now.Add(longestPoll))
}

// listen subscribes and returns when the server has confirmed it or refused.
func (l *listener) listen(ctx context.Context) error {
	l.begin()
	select {
	case <-l.settled:
		return nil
	case <-l.life.Context().Done():
		return lock.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close ends the subscription.
func (l *listener) close(ctx context.Context) error { return l.life.Close(ctx, nil) }
