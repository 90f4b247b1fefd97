// Package block has what the pieces of code in redisstream take for granted.
package block

import (
	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisstream"
)

var (
	client                                redis.UniversalClient
	stream                                *redisstream.Stream
	setLua, entryKey, value, invalidation string
)
