package redisconn

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// minMajor is the first major version of Redis that everything works with.
// Valkey presents itself as Redis 7.
const minMajor = 7

// OldServerError reports a server older than Redis 7.0. It can be reached, and
// parts of the backends may work.
type OldServerError struct {
	Version string // as the server states it
}

func (e *OldServerError) Error() string {
	return "Redis " + e.Version + " is older than 7.0: scripts and streams use commands that it does not have"
}

// CheckVersion returns an *OldServerError for a server older than Redis 7.0, or
// what kept it from asking. A server that does not state its version, because
// INFO is not allowed or not complete, passes.
func CheckVersion(ctx context.Context, c redis.UniversalClient) error {
	info, err := c.Info(ctx, "server").Result()
	if _, refused := errors.AsType[redis.Error](err); refused {
		return nil
	}
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(info, "redis_version:")
	version, _, _ := strings.Cut(rest, "\r\n")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < minMajor {
		return &OldServerError{Version: version}
	}
	return nil
}
