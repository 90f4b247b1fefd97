package redisstream

import (
	"context"
	_ "embed"
	"time"
)

//go:embed members.lua
var membersLua string

// Members returns the members of the stream that were heard of within ttl.
func (s *Stream) Members(ctx context.Context, ttl time.Duration) ([]string, error) {
	return s.memberScript.Run(ctx, s.client, []string{s.members}, ttl.Milliseconds()).StringSlice()
}

// Leave removes a member, if its reader is closed or about to be.
func (s *Stream) Leave(ctx context.Context, member string) error {
	return s.client.ZRem(ctx, s.members, member).Err()
}
