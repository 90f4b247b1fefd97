package lockredis

import (
	"context"

	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/script"
)

// fencing lets redislock obtain a lock and takes the fence in the same pipeline.
// The pipeline has run when redislock sees the answer.
type fencing struct {
	redis.Scripter
	backend *simple
	counter string
	value   string
	fence   uint64
}

// EvalSha implements redis.Scripter.
func (f *fencing) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	return f.with(ctx, keys, func(p redis.Pipeliner) *redis.Cmd { return p.EvalSha(ctx, sha, keys, args...) })
}

// Eval implements redis.Scripter.
func (f *fencing) Eval(ctx context.Context, text string, keys []string, args ...any) *redis.Cmd {
	return f.with(ctx, keys, func(p redis.Pipeliner) *redis.Cmd { return p.Eval(ctx, text, keys, args...) })
}

func (f *fencing) with(ctx context.Context, keys []string, obtain func(p redis.Pipeliner) *redis.Cmd) *redis.Cmd {
	var obtained, fence *redis.Cmd
	_, _ = script.Exec(ctx, f.backend.client, func(p redis.Pipeliner) { // each command has its own error
		obtained = obtain(p)
		fence = f.backend.fence.Queue(ctx, p, []string{keys[0], f.counter}, f.value)
	})
	if obtained.Err() != nil {
		return obtained
	}
	value, err := fence.Uint64()
	if err != nil {
		return fence // the lock is of no use without a fence
	}
	f.fence = value
	return obtained
}

// handle returns redislock's object for a token that may have the lock. redislock
// makes such objects in Obtain only, so it obtains this one from granting, which
// sends nothing; what it does later goes to the server.
func (b *simple) handle(ctx context.Context, key, token string) (*redislock.Lock, error) {
	o := &redislock.Options{Token: token, Metadata: mark}
	g := &granting{Scripter: b.client}
	l, err := redislock.Obtain(ctx, g, key, 1, o)
	g.real = true
	return l, err
}

// granting answers that a lock was obtained until real is set.
type granting struct {
	redis.Scripter
	real bool
}

// EvalSha implements redis.Scripter.
func (g *granting) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if g.real {
		return g.Scripter.EvalSha(ctx, sha, keys, args...)
	}
	cmd := redis.NewCmd(ctx)
	cmd.SetVal("OK")
	return cmd
}
