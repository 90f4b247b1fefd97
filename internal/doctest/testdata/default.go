// Package block has what the pieces of code in packages' documentation take for
// granted.
package block

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort"
)

var client redis.UniversalClient

func serve(ctx context.Context, node *cohort.Node) error { panic("given") }
