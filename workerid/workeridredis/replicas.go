package workeridredis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/script"
	"github.com/cohort-go/cohort/workerid"
)

// runReplicated is run for what a holder relies on: it succeeds only once enough
// replicas have all that the script wrote, and what was written before it.
func (b *Backend) runReplicated(ctx context.Context, s *script.Script, args []any) (reply, error) {
	if b.replicas == 0 {
		return b.run(ctx, s, args)
	}
	var r reply
	err := redisconn.Retry(ctx, b.client, 0, func(ctx context.Context) error {
		primary, err := b.primary(ctx)
		if err != nil {
			return err
		}
		// On one connection, since WAIT looks at its own writes. With the text,
		// since a NOSCRIPT would let the WAIT run first.
		var answer, wait *redis.Cmd
		_, _ = primary.Pipelined(ctx, func(p redis.Pipeliner) error { // each command has its own error
			answer = s.Eval(ctx, p, b.keys, args...)
			wait = p.Do(ctx, "wait", b.replicas, b.patience(ctx).Milliseconds())
			return nil
		})
		if r, err = answer.Slice(); err != nil || r.word() != "granted" {
			return err
		}
		n, err := wait.Int()
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", workerid.ErrNotReplicated, err)
		case n < b.replicas:
			return fmt.Errorf("%w: %d of %d", workerid.ErrNotReplicated, n, b.replicas)
		}
		return nil
	})
	return r, err
}

// patience is how long to wait for replicas, so that the answer of a server that
// waited in vain comes before ctx ends. WAIT takes 0 for ever.
func (b *Backend) patience(ctx context.Context) time.Duration {
	d := b.replicaTimeout
	if deadline, ok := ctx.Deadline(); ok {
		d = min(d, time.Until(deadline)*3/4)
	}
	return max(d, time.Millisecond)
}

// primary returns the client of the one server that has the keys.
func (b *Backend) primary(ctx context.Context) (redis.UniversalClient, error) {
	if cluster, ok := b.client.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, b.keys[0])
	}
	return b.client, nil
}
