package lock

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

type cohortNode struct {
	client *redis.Client
	locker lock.Locker
}

func openCohort(url string) (node, error) {
	client, err := openClient(url)
	if err != nil {
		return nil, err
	}
	locker, err := lockredis.New(client, lockredis.Options{})
	return &cohortNode{client, locker}, err
}

// openClient opens the client that all but rueidislock use.
func openClient(url string) (*redis.Client, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	o.ContextTimeoutEnabled = true
	return redis.NewClient(o), nil
}

func (n *cohortNode) lock(ctx context.Context, name string) (func() error, error) {
	lease, err := n.locker.Acquire(ctx, name, lock.Request{})
	if err != nil {
		return nil, err
	}
	return func() error { return lease.Release(ctx) }, nil
}

func (n *cohortNode) close() {
	_ = n.locker.Close(context.Background())
	_ = n.client.Close()
}
