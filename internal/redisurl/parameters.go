package redisurl

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// setter puts the value of a parameter in its place and says what it wants if
// the value is not of that kind.
type setter func(opt *redis.UniversalOptions, value string) (want string)

// parameters are those of any URL.
var parameters = map[string]setter{
	"protocol":                   count(2, 3, func(o *redis.UniversalOptions) *int { return &o.Protocol }),
	"client_name":                word(func(o *redis.UniversalOptions) *string { return &o.ClientName }),
	"max_retries":                count(-1, most, func(o *redis.UniversalOptions) *int { return &o.MaxRetries }),
	"min_retry_backoff":          duration(func(o *redis.UniversalOptions) *time.Duration { return &o.MinRetryBackoff }),
	"max_retry_backoff":          duration(func(o *redis.UniversalOptions) *time.Duration { return &o.MaxRetryBackoff }),
	"dial_timeout":               duration(func(o *redis.UniversalOptions) *time.Duration { return &o.DialTimeout }),
	"dialer_retries":             count(0, most, func(o *redis.UniversalOptions) *int { return &o.DialerRetries }),
	"dialer_retry_timeout":       duration(func(o *redis.UniversalOptions) *time.Duration { return &o.DialerRetryTimeout }),
	"read_timeout":               duration(func(o *redis.UniversalOptions) *time.Duration { return &o.ReadTimeout }),
	"write_timeout":              duration(func(o *redis.UniversalOptions) *time.Duration { return &o.WriteTimeout }),
	"pool_fifo":                  boolean(func(o *redis.UniversalOptions) *bool { return &o.PoolFIFO }),
	"pool_size":                  count(0, most, func(o *redis.UniversalOptions) *int { return &o.PoolSize }),
	"pool_timeout":               duration(func(o *redis.UniversalOptions) *time.Duration { return &o.PoolTimeout }),
	"min_idle_conns":             count(0, most, func(o *redis.UniversalOptions) *int { return &o.MinIdleConns }),
	"max_idle_conns":             count(0, most, func(o *redis.UniversalOptions) *int { return &o.MaxIdleConns }),
	"max_active_conns":           count(0, most, func(o *redis.UniversalOptions) *int { return &o.MaxActiveConns }),
	"max_concurrent_dials":       count(0, most, func(o *redis.UniversalOptions) *int { return &o.MaxConcurrentDials }),
	"pipeline_pool_size":         count(-1, most, func(o *redis.UniversalOptions) *int { return &o.PipelinePoolSize }),
	"pipeline_read_buffer_size":  count(0, most, func(o *redis.UniversalOptions) *int { return &o.PipelineReadBufferSize }),
	"pipeline_write_buffer_size": count(0, most, func(o *redis.UniversalOptions) *int { return &o.PipelineWriteBufferSize }),
	"conn_max_idle_time":         duration(func(o *redis.UniversalOptions) *time.Duration { return &o.ConnMaxIdleTime }),
	"conn_max_lifetime":          duration(func(o *redis.UniversalOptions) *time.Duration { return &o.ConnMaxLifetime }),
	"conn_max_lifetime_jitter":   duration(func(o *redis.UniversalOptions) *time.Duration { return &o.ConnMaxLifetimeJitter }),
}

// topologyParameters are those that need a Sentinel or a cluster.
var topologyParameters = map[topology]map[string]setter{
	sentinel: {
		"master_name":       word(func(o *redis.UniversalOptions) *string { return &o.MasterName }),
		"sentinel_username": word(func(o *redis.UniversalOptions) *string { return &o.SentinelUsername }),
		"sentinel_password": word(func(o *redis.UniversalOptions) *string { return &o.SentinelPassword }),
	},
	cluster: {
		"max_redirects": count(-1, most, func(o *redis.UniversalOptions) *int { return &o.MaxRedirects }),
	},
}

// replicaParameters are known to go-redis and refused here.
var replicaParameters = []string{
	"read_only", "replica_only", "route_by_latency", "route_by_latency_tolerance", "route_randomly",
	"use_disconnected_replicas",
}

// setParameters applies the query, except what setDB and setTLS take from it.
func setParameters(opt *redis.UniversalOptions, topology topology, query url.Values) error {
	known := maps.Clone(parameters)
	maps.Copy(known, topologyParameters[topology])
	var problems []error
	unknown := 0
	for _, name := range slices.Sorted(maps.Keys(query)) {
		values := query[name]
		set, ok := known[name]
		switch {
		case name == "db" || slices.Contains(tlsParameters, name):
		case slices.Contains(replicaParameters, name):
			problems = append(problems, errors.New(name+" reads from replicas, which lag behind; leave it out"))
		case !ok:
			unknown++
		case len(values) > 1:
			problems = append(problems, errors.New(name+" is given twice"))
		default:
			if want := set(opt, values[0]); want != "" {
				problems = append(problems, errors.New(name+" must be "+want))
			}
		}
	}
	if unknown > 0 { // its name may be what follows a ? in a password
		problems = append(problems, fmt.Errorf("it has %d unknown parameters; known are %s, %s, db",
			unknown, strings.Join(slices.Sorted(maps.Keys(known)), ", "), strings.Join(tlsParameters, ", ")))
	}
	if topology == sentinel && opt.MasterName == "" {
		problems = append(problems, errors.New("it has no master_name, which Sentinel needs"))
	}
	return errors.Join(problems...)
}

func word(field func(*redis.UniversalOptions) *string) setter {
	return func(opt *redis.UniversalOptions, value string) string {
		*field(opt) = value
		return ""
	}
}

// most bounds what counts connections, bytes or attempts.
const most = 1 << 24

func count(from, to int, field func(*redis.UniversalOptions) *int) setter {
	return func(opt *redis.UniversalOptions, value string) string {
		n, err := strconv.Atoi(value)
		if err != nil || n < from || n > to {
			return fmt.Sprintf("a number between %d and %d", from, to)
		}
		*field(opt) = n
		return ""
	}
}

func boolean(field func(*redis.UniversalOptions) *bool) setter {
	return func(opt *redis.UniversalOptions, value string) string {
		if !slices.Contains([]string{"true", "1", "false", "0"}, value) {
			return "true or false"
		}
		*field(opt) = value == "true" || value == "1"
		return ""
	}
}

// duration reads what go-redis reads: a bare number is seconds, and nothing or
// less means no limit.
func duration(field func(*redis.UniversalOptions) *time.Duration) setter {
	return func(opt *redis.UniversalOptions, value string) string {
		d, err := time.ParseDuration(value)
		if seconds, errNumber := strconv.ParseInt(value, 10, 32); errNumber == nil {
			d, err = time.Duration(seconds)*time.Second, nil
		}
		switch {
		case err != nil:
			return "a duration such as 500ms or a number of seconds"
		case d <= 0:
			d = -1
		}
		*field(opt) = d
		return ""
	}
}
