package lockredis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/script"
)

// longestWait bounds how long a server waits for its replicas.
const longestWait = time.Second

// runText is run with the text of the script at once: where time is short, no
// server answers that it does not have it.
func (c *conn) runText(ctx context.Context, s *script.Script, keys []string, args ...any) ([]int64, error) {
	answer, err := s.Eval(ctx, c.client, keys, args...).Int64Slice()
	return answer, check(answer, err)
}

// run sends a script that answers with integers, and if replicas is not 0, in
// the same pipeline, a WAIT for their acknowledgement.
func (c *conn) run(ctx context.Context, s *script.Script, keys []string, replicas int, ttl time.Duration, args ...any) (answer []int64, acknowledged int, err error) {
	if replicas == 0 {
		answer, err = s.Run(ctx, c.client, keys, args...).Int64Slice()
		return answer, 0, check(answer, err)
	}
	primary, err := c.primary(ctx, keys[0])
	if err != nil {
		return nil, 0, err
	}
	var cmd *redis.Cmd
	var wait *redis.Cmd
	_, err = primary.Pipelined(ctx, func(p redis.Pipeliner) error {
		cmd = s.Eval(ctx, p, keys, args...) // a NOSCRIPT would let the WAIT run first
		wait = p.Do(ctx, "wait", replicas, min(ttl/2, longestWait).Milliseconds())
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	answer, err = cmd.Int64Slice()
	acknowledged, _ = wait.Int() // an error acknowledges nothing
	return answer, acknowledged, check(answer, err)
}

// check refuses an answer that the scripts do not give.
func check(answer []int64, err error) error {
	if err != nil {
		return err
	}
	if len(answer) == 0 || answer[0] == 0 && len(answer) == 2 {
		return fmt.Errorf("unexpected answer %v", answer)
	}
	return nil
}
