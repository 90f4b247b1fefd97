package lockredis

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/backoff"
	"github.com/cohort-go/cohort/internal/rediserr"
)

// A feed is one subscription to the channel of this process. The client makes a
// new connection when one fails.
type feed struct {
	sub     *redis.PubSub
	ctx     context.Context // its end closes the subscription
	drop    context.CancelFunc
	began   time.Time
	asking  atomic.Bool // a question is being written
	confirm func()
	live    chan struct{} // closed by confirm, with the first confirmation
}

// open begins a subscription on a goroutine of its own, which ends with it.
func (l *listener) open() *feed {
	f := &feed{sub: l.borrowed.Subscribe(l.life.Context()), began: time.Now(), live: make(chan struct{})} // sends nothing yet
	f.ctx, f.drop = context.WithCancel(l.life.Context())
	f.confirm = sync.OnceFunc(func() { close(f.live) })
	l.life.Go("subscription", func(context.Context) { l.receive(f) })
	return f
}

// receive subscribes and takes the messages until the feed is dropped or refused.
func (l *listener) receive(f *feed) {
	defer f.drop()
	// The end of ctx ends no read, and closing waits while a connection is made.
	unlink := context.AfterFunc(f.ctx, func() { _ = f.sub.Close() })
	defer func() {
		if unlink() {
			_ = f.sub.Close()
		}
	}()
	_ = f.sub.Subscribe(f.ctx, l.own) // Receive tries again
	pause := backoff.Policy{Base: time.Millisecond, Max: 250 * time.Millisecond, Jitter: 0.5}
	for failures := 0; ; {
		message, err := f.sub.Receive(f.ctx)
		switch {
		case f.ctx.Err() != nil:
			return
		case err != nil && !rediserr.Retryable(err):
			l.refuse(f, err)
			return
		case err != nil:
			_ = backoff.Sleep(f.ctx, pause.Delay(failures))
			failures++
		default:
			failures = 0
			l.take(f, message)
		}
	}
}

// take handles one message. A confirmation of the subscription means that there
// was none before.
func (l *listener) take(f *feed, message any) {
	switch m := message.(type) {
	case *redis.Subscription:
		l.adopt(f)
		l.events.Missed()
	case *redis.Message:
		l.heard(f, true)
		if err := l.event(m.Payload); err != nil {
			l.warn.Warn("lockredis: message ignored", "err", err)
		}
	default:
		l.heard(f, false)
	}
}

// heard notes a message of the feed that counts.
func (l *listener) heard(f *feed, news bool) {
	if l.feed.Load() == f {
		l.pulse.beat(time.Now(), news)
	}
}

// adopt makes f, which was just confirmed, the feed that counts, and drops the
// one before it, if that is another.
func (l *listener) adopt(f *feed) {
	old := l.feed.Swap(f)
	now := time.Now()
	if old != f {
		l.pulse.connected(now.Sub(f.began))
	}
	l.pulse.beat(now, true)
	l.state.Store(hearing)
	f.confirm()
	l.settle()
	switch old {
	case nil:
		l.life.Go("pulse", l.watch)
	case f:
	default:
		old.drop()
	}
}

// refuse ends a feed that the server does not let subscribe.
func (l *listener) refuse(f *feed, err error) {
	if now := l.feed.Load(); now != nil && now != f {
		return // the one that counts may live, or will hear the same
	}
	l.warn.Warn("lockredis: no subscription, waiters will poll", "err", err)
	l.state.Store(refused)
	l.settle()
}

// watch lets a feed that is silent for too long prove that it lives, and takes
// another for one that does not. It runs until Close.
func (l *listener) watch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		at, relied := l.pulse.due(now)
		switch {
		case relied && !at.After(now):
			if !l.lives(ctx, l.feed.Load()) {
				l.replace(ctx)
			}
			if ctx.Err() != nil {
				return
			}
			continue
		case relied:
			timer.Reset(at.Sub(now))
		default:
			timer.Stop()
		}
		select {
		case <-ctx.Done():
			return
		case <-l.pulse.wake:
		case <-timer.C:
		}
	}
}

// lives asks over f whether the server still says anything on it.
func (l *listener) lives(ctx context.Context, f *feed) bool {
	asked := time.Now()
	if f.asking.CompareAndSwap(false, true) { // else it hangs, or a connection is being made
		l.life.Go("question", func(context.Context) {
			defer f.asking.Store(false)
			_ = f.sub.Ping(f.ctx)
		})
	}
	return backoff.Sleep(ctx, l.pulse.patience()) == nil && l.pulse.heardSince(asked)
}

// replace makes another subscription; the old one stays until it is confirmed.
func (l *listener) replace(ctx context.Context) {
	f := l.open()
	late := time.NewTimer(mostGrace)
	defer late.Stop()
	select {
	case <-f.live:
		l.warn.Warn("lockredis: the subscription was silent and was replaced")
	case <-late.C:
		f.drop()
	case <-ctx.Done():
	}
}
