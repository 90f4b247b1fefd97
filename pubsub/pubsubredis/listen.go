package pubsubredis

import (
	"context"
	"time"

	"github.com/cohort-go/cohort/internal/redisstream"
	"github.com/cohort-go/cohort/pubsub"
)

// listener is a bus being followed.
type listener struct{ reader *redisstream.Reader }

// Listen implements pubsub.Backend.
func (b *backend) Listen(ctx context.Context, i int, node string, feed pubsub.Feed) (pubsub.Listener, error) {
	l := &listener{}
	e := events(feed)
	e.Absent, e.Stale = feed.Absent, feed.Stale
	e.Fresh = func(asked time.Time, _ redisstream.Cursor) {
		feed.Counts(l.reader.Foreign(), l.reader.Repairs())
		feed.Fresh(asked)
	}
	var err error
	l.reader, err = redisstream.NewReader(b.buses[i].stream, redisstream.ReaderOptions{
		Tail: b.opts.Tail, Member: node, MemberTTL: memberTTL,
	}, e)
	if err != nil {
		return nil, err
	}
	if err := l.reader.Start(ctx); err != nil {
		b.abandon(l.reader)
		return nil, err
	}
	return l, nil
}

// abandon ends a reader whose caller has no time left. It does not wait: a
// connection that is being made to a server that does not answer ends with its
// timeout.
func (b *backend) abandon(r *redisstream.Reader) {
	ends := func(context.Context) { _ = r.Close(context.Background()) }
	if !b.ending.Go("reader", ends) { // the node was closed meanwhile
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = r.Close(over)
	}
}

func (l *listener) Position() pubsub.Mark { return mark(l.reader.Position()) }

func (l *listener) Close(ctx context.Context) error { return l.reader.Close(ctx) }

// Read implements pubsub.Backend.
func (b *backend) Read(i int, after pubsub.Mark, feed pubsub.Feed) pubsub.Pager {
	return pager{b.buses[i].stream.Follow(cursor(after), events(feed))}
}

type pager struct{ *redisstream.Follower }

func (p pager) Position() pubsub.Mark { return mark(p.Follower.Position()) }

// events tells a feed of entries and gaps.
func events(feed pubsub.Feed) redisstream.Events {
	var list []pubsub.Entry // used again by every call
	return redisstream.Events{
		Entries: func(entries []redisstream.Entry) {
			list = list[:0]
			for _, e := range entries {
				list = append(list, pubsub.Entry{N: e.N, ID: pubsub.ID(e.ID), Data: e.Data})
			}
			feed.Entries(list)
			clear(list)
		},
		Gap: func(g redisstream.Gap) {
			feed.Gap(reason(g.Reason), g.Missed, mark(g.After), mark(g.Resume))
		},
	}
}

func reason(r redisstream.Reason) pubsub.GapReason {
	switch r {
	case redisstream.Trimmed:
		return pubsub.GapTrimmed
	case redisstream.Reset:
		return pubsub.GapReset
	case redisstream.Failover:
	}
	return pubsub.GapFailover
}

func mark(c redisstream.Cursor) pubsub.Mark {
	return pubsub.Mark{Base: c.Base, N: c.N, ID: pubsub.ID(c.ID), Run: c.Run}
}

func cursor(m pubsub.Mark) redisstream.Cursor {
	return redisstream.Cursor{Base: m.Base, N: m.N, ID: redisstream.ID(m.ID), Run: m.Run}
}
