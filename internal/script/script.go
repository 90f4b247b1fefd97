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
	digest any // a string, boxed once
}

// New returns the Script with the text src.
func New(src string) *Script {
	s := redis.NewScript(src)
	return &Script{script: s, digest: s.Hash()}
}

// Run sends EVALSHA, and EVAL if the server does not know the digest.
func (s *Script) Run(ctx context.Context, c redis.Scripter, keys []string, args ...any) *redis.Cmd {
	return s.script.Run(ctx, c, keys, args...)
}

// Keys are the keys of a script that runs often, ready to be sent.
type Keys struct {
	names []string
	boxed []any
}

// NewKeys returns the Keys with these names.
func NewKeys(names ...string) Keys {
	k := Keys{names: names, boxed: make([]any, len(names))}
	for i, name := range names {
		k.boxed[i] = name
	}
	return k
}

// RunOn is Run with less to allocate. There is at least one key.
func (s *Script) RunOn(ctx context.Context, c redis.UniversalClient, keys Keys, args ...any) *redis.Cmd {
	all := make([]any, 0, 3+len(keys.boxed)+len(args))
	all = append(all, "evalsha", s.digest, len(keys.boxed))
	all = append(append(all, keys.boxed...), args...)
	cmd := redis.NewCmd(ctx, all...)
	cmd.SetFirstKeyPos(3)
	if err := c.Process(ctx, cmd); redis.HasErrorPrefix(err, "NOSCRIPT") {
		return s.Eval(ctx, c, keys.names, args...)
	}
	return cmd
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
