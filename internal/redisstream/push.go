package redisstream

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/backoff"
)

// pushGrace is how long the push of an entry may come later than the entry was
// seen in the log, before its connection counts as dead.
const pushGrace = 100 * time.Millisecond

// feed is the connection that brings pushes.
type feed struct {
	sub *redis.PubSub // nil while there is none
	// confirmed is when the server confirmed the subscription, zero before.
	confirmed time.Time
	// since is the ordinal above which every entry must come as a push, 0 while
	// it is not known.
	since int64
}

// pushes keeps a subscription and takes in what it brings. It runs until Close.
func (r *Reader) pushes(ctx context.Context) {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		sub := r.subscribe(ctx)
		// A connection that was being made while the client closed is not the
		// client's any more: only its subscription can end it.
		unlink := context.AfterFunc(ctx, func() { _ = sub.Close() })
		r.receive(ctx, sub)
		unlink()
		_ = sub.Close()
		if backoff.Sleep(ctx, r.retry.Delay(attempt)) != nil {
			return
		}
		if r.feedWasUp() {
			attempt = 0
		}
	}
}

func (r *Reader) subscribe(ctx context.Context) *redis.PubSub {
	var sub *redis.PubSub
	if r.stream.sharded {
		sub = r.client.SSubscribe(ctx, r.stream.push)
	} else {
		sub = r.client.Subscribe(ctx, r.stream.push)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.feed = feed{sub: sub}
	return sub
}

// receive reads from sub until it fails. No read has a deadline: one that
// passes within a message would leave the connection in the middle of it.
func (r *Reader) receive(ctx context.Context, sub *redis.PubSub) {
	confirmed := false
	for {
		msg, err := sub.Receive(ctx)
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, redis.ErrClosed) {
				r.fail(err)
			}
			return
		}
		switch msg := msg.(type) {
		case *redis.Message:
			r.take(sub, msg.Payload)
		case *redis.Subscription:
			// A second confirmation is that of another connection, and
			// sunsubscribe says that the slot moved: pushes may be lost.
			if confirmed || msg.Count == 0 {
				return
			}
			confirmed = true
			r.subscribed()
		}
	}
}

// subscribed makes the log be asked for what no push will bring.
func (r *Reader) subscribed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.feed.confirmed = time.Now()
	r.seq.asking = true
	r.Audit()
}

func (r *Reader) feedWasUp() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.feed.confirmed.IsZero()
}

// take takes in one push.
func (r *Reader) take(sub *redis.PubSub, payload string) {
	f, err := parseFrame(payload)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life.Context().Err() != nil || r.feed.sub != sub {
		return
	}
	r.pushAt = time.Now()
	if err != nil {
		r.seq.foreign++
		r.foreign.Store(r.seq.foreign)
		return
	}
	if r.seq.push(f) {
		r.Audit()
	}
}

// leaveFeed replaces a feed that was confirmed before another server's answer: it may
// be subscribed to that one, and bring entries of another branch. The caller holds mu.
func (r *Reader) leaveFeed() {
	sub := r.feed.sub
	r.seq.pushed = 0
	if sub == nil || r.feed.since == 0 {
		return
	}
	r.feed.sub = nil
	r.life.Go("left feed", func(context.Context) { _ = sub.Close() }) // receive returns
}

// expectPush replaces the feed if entry n, which the log had at the given time,
// does not come as a push within pushGrace. The caller holds mu.
func (r *Reader) expectPush(asked time.Time, n int64) {
	sub := r.feed.sub
	if sub == nil || r.feed.confirmed.IsZero() || r.feed.confirmed.After(asked) {
		return
	}
	if r.feed.since == 0 {
		r.feed.since = n
	}
	if n <= max(r.feed.since, r.seq.pushed) {
		return
	}
	r.life.Go("expected push", func(ctx context.Context) {
		if backoff.Sleep(ctx, pushGrace) != nil {
			return
		}
		r.mu.Lock()
		dead := r.feed.sub == sub && r.seq.pushed < n
		r.mu.Unlock()
		if dead {
			_ = sub.Close() // receive returns
		}
	})
}
