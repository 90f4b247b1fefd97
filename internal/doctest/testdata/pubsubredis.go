// Package block has what the pieces of code in pubsubredis take for granted.
package block

import (
	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/pubsub/pubsubredis"
)

var (
	client     redis.UniversalClient
	ps         *pubsubredis.PubSub
	key, value string
)
