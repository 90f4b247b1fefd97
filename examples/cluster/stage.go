package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/internal/embedded"
	"github.com/cohort-go/cohort/internal/redisurl"
)

// A stage is what all nodes share, and the part of it that is ours.
type stage struct {
	variables variables
	namespace string
	areas     []string // where each is, for people
	servers   map[string]*server
	own       *embedded.Server // nil if the environment names a Redis
}

// A server is one database of Redis with the areas that the variables put there.
type server struct {
	client redis.UniversalClient
	areas  []string // as their keys name them
}

// Names of areas in keys; exampleArea is what this program keeps itself.
const (
	workerArea  = "workerid"
	nodeArea    = "node"
	exampleArea = "example"
)

// localRedis is where an area is whose URL is not set.
const localRedis = "redis://localhost:6379/0"

// openStage takes what the environment names, and starts a Redis in this process if
// it names none.
func openStage(nodes int) (*stage, error) {
	s := &stage{
		variables: read(os.Getenv), namespace: "show-" + strings.ToLower(rand.Text()[:8]),
		servers: map[string]*server{},
	}
	if s.variables[redisVariable] == "" {
		var err error
		if s.own, err = embedded.Start(); err != nil {
			return nil, err
		}
		s.variables[redisVariable] = s.own.URL()
	}
	s.variables.share(nodes, s.namespace)
	config, err := cohort.FromEnv(s.variables.get)
	if err == nil {
		err = s.connect(config)
	}
	if err != nil {
		return nil, errors.Join(err, s.close(context.Background()))
	}
	return s, nil
}

// connect finds the servers of all areas.
func (s *stage) connect(config cohort.Config) error {
	for _, a := range []struct {
		area    string
		adapter cohort.Adapter
	}{
		{workerArea, config.Worker}, {"lock", config.Lock}, {"pubsub", config.PubSub},
		{"cache", config.Cache}, {"queue", config.Queue},
	} {
		s.areas = append(s.areas, a.area+" on "+a.adapter.String())
		if a.adapter.Kind != cohort.Redis {
			continue
		}
		url := s.variables[a.adapter.From]
		if url == "" {
			url = localRedis
		}
		if s.servers[url] == nil {
			target, err := redisurl.Parse(url)
			if err != nil {
				return err
			}
			s.servers[url] = &server{client: target.NewClient()}
		}
		s.servers[url].areas = append(s.servers[url].areas, a.area)
	}
	home := s.servers[s.variables[redisVariable]]
	home.areas = append(home.areas, nodeArea, exampleArea)
	return nil
}

// close removes what the show left.
func (s *stage) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.each(ctx, s.namespace, func(ctx context.Context, c redis.Cmdable, key string) error {
			return c.Unlink(ctx, key).Err()
		}), server.client.Close())
	}
	if s.own != nil {
		s.own.Close()
	}
	return errors.Join(errs...)
}

// each calls f for each key of a namespace, at the master that has it.
func (s *server) each(
	ctx context.Context, namespace string, f func(ctx context.Context, c redis.Cmdable, key string) error,
) error {
	scan := func(ctx context.Context, c redis.Cmdable) error {
		keys := c.Scan(ctx, 0, namespace+":*", 1000).Iterator()
		for keys.Next(ctx) {
			if err := f(ctx, c, keys.Val()); err != nil {
				return err
			}
		}
		return keys.Err()
	}
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error { return scan(ctx, master) })
	}
	return scan(ctx, s.client)
}
