// Package block has what the pieces of code in README.md take for granted.
package block

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/pubsub"
)

type (
	Config struct{}
	Change struct{}
	User   struct{}
	Mail   struct{ To string }
)

var (
	client redis.UniversalClient
	ps     pubsub.PubSub
)

func rebuild(ctx context.Context, fence uint64) error { panic("given") }

func loadFromDatabase(ctx context.Context) (Config, error) { panic("given") }

func applyChange(before Config, c Change) (Config, error) { panic("given") }

func loadUser(ctx context.Context, id string) (User, error) { panic("given") }

func send[M any](ctx context.Context, m M) error { panic("given") }

func serve(ctx context.Context, node *cohort.Node) error { panic("given") }

func openFolder(dir string) (lock.Backend, error) { panic("given") }
