package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/embedded"
	"github.com/cohort-go/cohort/internal/redisurl"
)

// redisVariable is the environment variable that names a Redis.
const redisVariable = "REDIS_URL"

// A stage is the Redis that all nodes share, and the part of it that is ours.
type stage struct {
	url, name string
	namespace string
	target    *redisurl.Target // nil if the server is our own
	server    *embedded.Server // nil if it is not
}

// openStage takes the Redis that the environment names, or starts one in this
// process.
func openStage() (*stage, error) {
	s := &stage{url: os.Getenv(redisVariable), namespace: "show-" + strings.ToLower(rand.Text()[:8])}
	var err error
	if s.url != "" {
		if s.target, err = redisurl.Parse(s.url); err != nil {
			return nil, fmt.Errorf("%s: %w", redisVariable, err)
		}
		s.name = s.target.String()
		return s, nil
	}
	if s.server, err = embedded.Start(); err != nil {
		return nil, err
	}
	s.url = s.server.URL()
	s.name = "a Redis inside this process (" + redisVariable + " is not set)"
	return s, nil
}

// close removes what the show left.
func (s *stage) close(ctx context.Context) error {
	if s.server != nil {
		s.server.Close()
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client := s.target.NewClient()
	defer client.Close()
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
			return s.sweep(ctx, master)
		})
	}
	return s.sweep(ctx, client)
}

// sweep removes the show's keys from one server.
func (s *stage) sweep(ctx context.Context, server redis.Cmdable) error {
	keys := server.Scan(ctx, 0, s.namespace+":*", 1000).Iterator()
	for keys.Next(ctx) {
		if err := server.Unlink(ctx, keys.Val()).Err(); err != nil {
			return err
		}
	}
	return keys.Err()
}
