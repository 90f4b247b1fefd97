package workeridredis_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// counter counts the commands that a client sends.
type counter struct{ n atomic.Int64 }

func (*counter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmd)
	}
}

func (c *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.n.Add(int64(len(cmds)))
		return next(ctx, cmds)
	}
}

// TestCommands counts what a node that starts, holds a number and ends sends.
func TestCommands(t *testing.T) {
	server := testenv.Redis(t)
	acquire(t, open(t, server.Client(t), workeridredis.Options{})) // the scripts are loaded
	client, sent := server.Client(t), new(counter)
	if err := client.Ping(t.Context()).Err(); err != nil { // what a new connection sends is not ours
		t.Fatal(err)
	}
	client.AddHook(sent)
	a := open(t, client, workeridredis.Options{})
	l := acquire(t, a)
	if n := sent.n.Swap(0); n != 1 {
		t.Errorf("Acquire sent %d commands, want 1", n)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := sent.n.Load(); n > 2 {
		t.Errorf("Release sent %d commands, want 1, or 2 for a script that the server does not know", n)
	}
}
