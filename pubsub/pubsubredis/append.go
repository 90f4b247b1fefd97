package pubsubredis

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediserr"
	"github.com/cohort-go/cohort/internal/redisstream"
	"github.com/cohort-go/cohort/pubsub"
)

// Append implements pubsub.Backend. After a failure it sends the same entries
// again until ctx ends; followers know a repeat by its origin.
func (b *backend) Append(ctx context.Context, i int, entries [][]byte, replicas int) ([]pubsub.Mark, int, error) {
	bus := b.buses[i]
	var places []redisstream.Cursor
	var confirmed int
	err := redisconn.Retry(ctx, b.client, b.opts.OpTimeout, func(ctx context.Context) (err error) {
		if replicas > 0 {
			places, confirmed, err = b.appendAndWait(ctx, bus, entries, replicas)
		} else {
			places, err = bus.stream.Append(ctx, entries...)
		}
		return err
	})
	if rediserr.Uncertain(err) {
		return nil, 0, fmt.Errorf("%w: %w", pubsub.ErrUncertain, err)
	}
	if err != nil {
		return nil, 0, err
	}
	marks := make([]pubsub.Mark, len(places))
	for k, p := range places {
		marks[k] = mark(p)
	}
	b.trim(ctx, bus, marks[len(marks)-1])
	return marks, confirmed, nil
}

// appendAndWait sends WAIT in the pipeline of the append: it counts the replicas
// that have what its own connection wrote.
func (b *backend) appendAndWait(ctx context.Context, bus *bus, entries [][]byte, replicas int) ([]redisstream.Cursor, int, error) {
	client := b.client
	if cluster, ok := client.(*redis.ClusterClient); ok {
		master, err := cluster.MasterForKey(ctx, bus.stream.Keys()[0])
		if err != nil {
			return nil, 0, err
		}
		client = master
	}
	p := client.Pipeline()
	stored := bus.stream.QueueTx(ctx, p, entries...)
	confirmed := redis.NewIntCmd(ctx, "wait", replicas, b.opts.ReplicaTimeout.Milliseconds())
	_ = p.Process(ctx, confirmed)
	_, _ = p.Exec(ctx) // each command has its own error
	places, err := redisstream.Appended(stored)
	if err != nil {
		return nil, 0, err
	}
	return places, int(confirmed.Val()), nil // an error of WAIT confirms none
}

// timer is when something was last done.
type timer struct{ last atomic.Int64 }

// due reports whether it was longer ago than d, and if so counts it as done.
func (t *timer) due(now, d int64) bool {
	last := t.last.Load()
	return now-last >= d && t.last.CompareAndSwap(last, now)
}

// trim removes what is older than MaxAge, once in a while. Its failure costs
// memory for a while, and nothing else.
func (b *backend) trim(ctx context.Context, bus *bus, newest pubsub.Mark) {
	age := b.opts.MaxAge.Milliseconds()
	now := int64(newest.ID.Ms)
	if b.opts.MaxAge < 0 || !bus.trimmed.due(now, min(age/10, time.Minute.Milliseconds())) {
		return
	}
	_ = bus.stream.Trim(ctx, time.UnixMilli(now-age))
}
