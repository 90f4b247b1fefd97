package lockredis

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/script"
)

// longestWait bounds how long a server waits for its replicas.
const longestWait = time.Second

// runText is run with the text of the script at once: where time is short, no
// server answers that it does not have it.
func (c *conn) runText(ctx context.Context, s *script.Script, keys []string, args ...any) (answer, error) {
	return answerOf(s.Eval(ctx, c.client, keys, args...))
}

// run sends a script that answers with integers, and if replicas is not 0, in
// the same pipeline, a WAIT for their acknowledgement.
func (c *conn) run(ctx context.Context, s *script.Script, n names, replicas int, ttl time.Duration, args ...any) (a answer, acknowledged int, err error) {
	if replicas == 0 {
		a, err = answerOf(s.RunOn(ctx, c.client, n.ready, args...))
		return a, 0, err
	}
	primary, err := c.primary(ctx, n.keys[0])
	if err != nil {
		return a, 0, err
	}
	var cmd *redis.Cmd
	var wait *redis.Cmd
	_, err = primary.Pipelined(ctx, func(p redis.Pipeliner) error {
		cmd = s.Eval(ctx, p, n.keys, args...) // a NOSCRIPT would let the WAIT run first
		wait = p.Do(ctx, "wait", replicas, min(ttl/2, longestWait).Milliseconds())
		return nil
	})
	if err != nil {
		return a, 0, err
	}
	a, err = answerOf(cmd)
	acknowledged, _ = wait.Int() // an error acknowledges nothing
	return a, acknowledged, err
}
