// Package script runs embedded Lua by its digest and sends the text only to a
// server that does not have it yet.
package script

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Script is the text of one Lua script and its digest. It is immutable and safe
// for concurrent use.
type Script struct {
	script *redis.Script
}

// New returns the Script with the text src.
func New(src string) *Script { return &Script{script: redis.NewScript(src)} }

// Run sends EVALSHA, and EVAL if the server does not know the digest.
func (s *Script) Run(ctx context.Context, c redis.Scripter, keys []string, args ...any) *redis.Cmd {
	return s.script.Run(ctx, c, keys, args...)
}

// Queue adds EVALSHA to a pipeline. Within [Exec] a server that does not know
// the digest gets the text; elsewhere the command fails with NOSCRIPT.
func (s *Script) Queue(ctx context.Context, p redis.Pipeliner, keys []string, args ...any) *redis.Cmd {
	cmd := s.script.EvalSha(ctx, p, keys, args...)
	if r, ok := p.(*recorder); ok {
		r.queued = append(r.queued, queued{s, cmd, keys, args})
	}
	return cmd
}

// Eval sends EVAL with the whole text, or adds it to a pipeline. MULTI needs it: a
// NOSCRIPT inside a transaction would not keep the other commands from running.
func (s *Script) Eval(ctx context.Context, c redis.Scripter, keys []string, args ...any) *redis.Cmd {
	return s.script.Eval(ctx, c, keys, args...)
}
