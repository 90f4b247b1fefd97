package redisconn

import (
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Settings are the options that an own client may have differently from the
// client it was made from. They hold that client's values and follow the
// convention of go-redis: zero is the default, -1 is none.
type Settings struct {
	ContextTimeoutEnabled bool
	DialTimeout           time.Duration
	ReadTimeout           time.Duration
	WriteTimeout          time.Duration
	MaxRetries            int // of each command; a cluster client counts redirects too
	PoolSize              int // per node
	MinIdleConns          int // per node
}

// Clone returns a client of the caller's own, made from a copy of c's options,
// with the changes of change, which may be nil. It connects in the same way
// (addresses, TLS, credentials, Sentinel) with its own connections, so closing
// it ends what blocks on them. Hooks, push handlers, client-side caching and
// maintenance notifications are not copied. A clone of a Sentinel client asks the Sentinel connection of c for
// the master, so it cannot connect after c was closed.
func Clone(c redis.UniversalClient, change func(*Settings)) (redis.UniversalClient, error) {
	if err := Check(c); err != nil {
		return nil, err
	}
	if change == nil {
		change = func(*Settings) {}
	}
	if cluster, ok := c.(*redis.ClusterClient); ok {
		return cloneCluster(cluster, change), nil
	}
	single, _ := c.(*redis.Client) // Check lets no third type through
	return cloneClient(single, change), nil
}

func cloneClient(c *redis.Client, change func(*Settings)) *redis.Client {
	opt := *c.Options()
	s := Settings{
		ContextTimeoutEnabled: opt.ContextTimeoutEnabled,
		DialTimeout:           opt.DialTimeout,
		ReadTimeout:           unset(opt.ReadTimeout),
		WriteTimeout:          unset(opt.WriteTimeout),
		MaxRetries:            none(opt.MaxRetries),
		PoolSize:              opt.PoolSize,
		MinIdleConns:          opt.MinIdleConns,
	}
	change(&s)
	opt.ContextTimeoutEnabled = s.ContextTimeoutEnabled
	opt.DialTimeout, opt.ReadTimeout, opt.WriteTimeout = s.DialTimeout, s.ReadTimeout, s.WriteTimeout
	opt.MaxRetries = s.MaxRetries
	opt.PoolSize, opt.MinIdleConns = s.PoolSize, s.MinIdleConns

	opt.MinRetryBackoff, opt.MaxRetryBackoff = none(opt.MinRetryBackoff), none(opt.MaxRetryBackoff)
	opt.ClientSideCacheConfig, opt.ClientSideCache = nil, nil
	opt.PushNotificationProcessor = nil // c's has c's handlers and takes no second ones
	opt.MaintNotificationsConfig = noMaintenance()
	return redis.NewClient(&opt)
}

func cloneCluster(c *redis.ClusterClient, change func(*Settings)) *redis.ClusterClient {
	opt := *c.Options()
	s := Settings{
		ContextTimeoutEnabled: opt.ContextTimeoutEnabled,
		DialTimeout:           opt.DialTimeout,
		ReadTimeout:           none(opt.ReadTimeout),
		WriteTimeout:          none(opt.WriteTimeout),
		MaxRetries:            none(opt.MaxRedirects),
		PoolSize:              opt.PoolSize,
		MinIdleConns:          opt.MinIdleConns,
	}
	change(&s)
	opt.ContextTimeoutEnabled = s.ContextTimeoutEnabled
	opt.DialTimeout, opt.ReadTimeout, opt.WriteTimeout = s.DialTimeout, s.ReadTimeout, s.WriteTimeout
	opt.MaxRedirects = s.MaxRetries
	opt.PoolSize, opt.MinIdleConns = s.PoolSize, s.MinIdleConns

	opt.MinRetryBackoff, opt.MaxRetryBackoff = none(opt.MinRetryBackoff), none(opt.MaxRetryBackoff)
	opt.PushNotificationProcessor = nil
	opt.MaintNotificationsConfig = noMaintenance()
	own := redis.NewClusterClient(&opt)
	followSlots(own)
	return own
}

// none turns the zero that go-redis keeps for "none" back into the -1 that it
// reads as "none"; left alone, the zero would become the default.
func none[T int | time.Duration](v T) T {
	if v == 0 {
		return -1
	}
	return v
}

// unset is none for the timeouts of a single-server client, which also has a
// -2, "leave deadlines alone", and keeps it as -1.
func unset(d time.Duration) time.Duration {
	if d <= 0 {
		return d - 1
	}
	return d
}

// noMaintenance is a configuration that no other client has: a client writes to
// its own while it connects, and nobody else can read that one safely. What an
// own client serves survives a lost connection, announced or not.
func noMaintenance() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
