package cacheredis

import (
	"context"
	"strconv"
	"time"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/backoff"
	"github.com/cohort-go/cohort/internal/redisstream"
)

// events are what the reader of the bucket's stream tells; its calls never overlap.
func (b *bucket) events() redisstream.Events {
	counted := "" // generation of the copies that the line proves
	server := func(run string) {
		b.line.Doubt()
		b.run.Store(&run)
		b.s.group.Go("settle", func(ctx context.Context) { b.settle(ctx, run) })
	}
	return redisstream.Events{
		Entries: func(entries []redisstream.Entry) {
			for _, e := range entries {
				c := &cache.Change{Ordinal: uint64(e.N)}
				readMessage(e.Data, c)
				b.line.Apply(c)
			}
		},
		Gap: func(g redisstream.Gap) {
			b.line.Restart(uint64(g.Resume.N))
			b.s.opts.Logger.Info("changes were missed, local copies dropped", "reason", g.Reason.String())
			if run := b.run.Load(); run != nil { // the generation may be lost with them
				b.s.group.Go("settle", func(ctx context.Context) { b.settle(ctx, *run) })
			}
		},
		Server: server,
		Fresh: func(asked time.Time, at redisstream.Cursor) {
			if at.Run == "" && b.run.Load() == nil {
				server("") // one that does not tell its run id
			}
			g := b.settled.Load()
			if g == nil || g.run != at.Run {
				return
			}
			if g.value != counted { // copies from before may lack what the server lost
				counted = g.value
				b.line.Restart(uint64(at.N))
			}
			b.line.Prove(asked, uint64(at.N))
		},
		Stale: func(error) {
			b.line.Doubt()
			b.s.suspect()
		},
	}
}

// listen follows the stream until Close.
func (b *bucket) listen(ctx context.Context) {
	if err := b.reader.Start(ctx); err != nil && ctx.Err() == nil {
		b.s.opts.Logger.Error("invalidations cannot be followed: no local copies are served", "error", err)
	}
}

// settle finds out with which generation entries count on the server with this run
// id; until then nothing on it is proven.
func (b *bucket) settle(ctx context.Context, run string) {
	keep := flag(b.s.opts.KeepOnFailover)
	wait := backoff.Policy{Base: 10 * time.Millisecond, Max: time.Second, Jitter: 0.2}
	for attempt := 0; ; attempt++ {
		if current := b.run.Load(); current == nil || *current != run {
			return // yet another server: it has its own settle
		}
		call, cancel := context.WithTimeout(ctx, b.s.opts.OpTimeout)
		asked := time.Now()
		reply, err := b.s.scripts.settle.Run(call, b.s.client, []string{b.meta}, run, nonce(), keep, b.s.opts.Buckets).StringSlice()
		cancel()
		if err == nil && len(reply) == 3 {
			if now, err := strconv.ParseInt(reply[1], 10, 64); err == nil {
				b.sync(asked, now)
			}
			if n, err := strconv.Atoi(reply[2]); err == nil {
				b.mismatch.Store(n != b.s.opts.Buckets)
			}
			b.settled.Store(&generation{run: run, value: reply[0]})
			b.reader.Audit()
			return
		}
		if backoff.Sleep(ctx, wait.Delay(attempt)) != nil {
			return
		}
	}
}

// provePart is how many times per MaxStaleness the log is asked for its state.
const provePart = 4

// prove has every line proven, as often as the caches of this node need it.
func (s *Store) prove(ctx context.Context) {
	const idle = 50 * time.Millisecond
	for {
		wait := s.feed.Bound() / provePart
		if wait > 0 {
			for _, b := range s.buckets {
				b.reader.Audit()
			}
		} else {
			wait = idle
		}
		if backoff.Sleep(ctx, wait) != nil {
			return
		}
	}
}
