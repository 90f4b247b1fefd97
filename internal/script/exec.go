package script

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// recorder is a pipeline that remembers which scripts were queued on it.
type recorder struct {
	redis.Pipeliner

	queued []queued
}

type queued struct {
	script *Script
	cmd    *redis.Cmd
	keys   []string
	args   []any
}

// Exec sends what queue adds to a pipeline and returns the commands, with the
// error of the first that failed. Scripts that the server did not know are sent
// again with their text in a second pipeline, so they run after the commands
// queued behind them; their results are found in the commands that Queue
// returned.
func Exec(ctx context.Context, c redis.UniversalClient, queue func(p redis.Pipeliner)) ([]redis.Cmder, error) {
	first := &recorder{Pipeliner: c.Pipeline()}
	queue(first)
	cmds, err := first.Exec(ctx)

	again := c.Pipeline()
	var unknown []queued
	var results []*redis.Cmd
	for _, q := range first.queued {
		if redis.HasErrorPrefix(q.cmd.Err(), "NOSCRIPT") {
			unknown = append(unknown, q)
			results = append(results, q.script.Eval(ctx, again, q.keys, q.args...))
		}
	}
	if len(unknown) == 0 {
		return cmds, err
	}
	_, _ = again.Exec(ctx) // each command has its own error
	for i, q := range unknown {
		q.cmd.SetVal(results[i].Val())
		q.cmd.SetErr(results[i].Err())
	}
	return cmds, firstError(cmds)
}

func firstError(cmds []redis.Cmder) error {
	for _, cmd := range cmds {
		if err := cmd.Err(); err != nil {
			return err
		}
	}
	return nil
}
