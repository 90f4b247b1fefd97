// Package redisurl reads the URLs that name a Redis.
//
//	redis://[user:password@]host[:6379][/db][?parameters]        one server
//	rediss://…                                                   the same over TLS
//	unix://[user:password@]/path/to/socket[?db=2&parameters]     one server, by its socket
//	redis-sentinel://[user:password@]h1[:26379],h2/db?master_name=m[&parameters]
//	redis-cluster://[user:password@]h1[:6379],h2[?parameters]    no db: a cluster has one
//	rediss-sentinel://…, rediss-cluster://…                      the same over TLS
//
// The parameters are the plain ones of go-redis (read_timeout=3s, pool_size=20,
// …), sentinel_username and sentinel_password, which default to no credentials,
// and for TLS: ca_file, cert_file and key_file (PEM), server_name, skip_verify.
//
// Whatever is malformed is an error, because go-redis takes it for localhost or
// leaves it out. No error and no form of a Target holds a secret.
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

	"github.com/cohort-go/cohort/internal/rawurl"
)

// Target is a Redis that can be connected to. What it holds of the URL's
// secrets is out of reach of fmt and encoding/json.
type Target struct {
	text   string
	reveal func() string
	shows  func(text string) bool
	open   func() redis.UniversalClient
}

// topology is what stands behind a URL.
type topology int

const (
	single topology = iota
	socket
	sentinel
	cluster
)

// form is what a scheme says.
type form struct {
	topology topology
	secure   bool
}

var forms = map[string]form{
	"redis":           {single, false},
	"rediss":          {single, true},
	"unix":            {socket, false},
	"redis-sentinel":  {sentinel, false},
	"rediss-sentinel": {sentinel, true},
	"redis-cluster":   {cluster, false},
	"rediss-cluster":  {cluster, true},
}

// slotReload bounds how long a cluster client believes in an old map of slots
// where no error tells it otherwise.
const slotReload = 2 * time.Second

// Parse returns what raw names, or an error that lists what is wrong with it.
// It reads the certificate files that raw names and connects to nothing.
func Parse(raw string) (*Target, error) {
	parts, err := rawurl.Split(raw)
	if err != nil {
		return nil, fmt.Errorf("redis URL: %w", err)
	}
	form, ok := forms[parts.Scheme]
	if !ok {
		return nil, errors.New("redis URL: its scheme is none of " + strings.Join(slices.Sorted(maps.Keys(forms)), ", "))
	}
	opt := &redis.UniversalOptions{
		ContextTimeoutEnabled: true,
		// One loop tries again, rediserr.Retry: it knows why, finds another master,
		// and remembers whether an earlier attempt may have run.
		MaxRetries:    -1,
		DialerRetries: 1,
	}
	if parts.User != nil {
		opt.Username = parts.User.Username()
		opt.Password, _ = parts.User.Password()
	}
	err = errors.Join(
		setHosts(opt, form.topology, parts),
		setDB(opt, form.topology, parts),
		setTLS(opt, form.secure, parts.Query),
		setParameters(opt, form.topology, parts.Query),
	)
	if err != nil { // on one line, for logs
		return nil, errors.New("redis URL: " + strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return &Target{
		text:   text(parts.Scheme, opt),
		reveal: func() string { return raw },
		shows: func(text string) bool {
			return slices.ContainsFunc([]string{opt.Password, opt.SentinelPassword}, func(secret string) bool {
				return secret != "" && strings.Contains(text, secret)
			})
		},
		open: opener(form.topology, opt),
	}, nil
}

// NewClient returns a client whose commands end with their ctx and are sent once
// unless the URL says otherwise. It connects with its first command; the caller
// closes it.
func (t *Target) NewClient() redis.UniversalClient { return t.open() }

// String is the URL without credentials and parameters, except master_name.
func (t *Target) String() string { return t.text }

// Shows reports whether text has a password of the URL, as the error of a server may
// that repeats what it does not understand.
func (t *Target) Shows(text string) bool { return t.shows(text) }

func opener(topology topology, opt *redis.UniversalOptions) func() redis.UniversalClient {
	return func() redis.UniversalClient {
		switch topology {
		case sentinel:
			return redis.NewFailoverClient(opt.Failover())
		case cluster:
			own := opt.Cluster()
			own.ClusterStateReloadInterval = slotReload
			return redis.NewClusterClient(own)
		default:
			return redis.NewClient(opt.Simple()) // a path is the address of a socket
		}
	}
}

func text(scheme string, opt *redis.UniversalOptions) string {
	hosts, db := strings.Join(opt.Addrs, ","), strconv.Itoa(opt.DB)
	switch forms[scheme].topology {
	case socket:
		return (&url.URL{Scheme: scheme, Path: hosts}).String() + "?db=" + db
	case sentinel:
		return scheme + "://" + hosts + "/" + db + "?master_name=" + url.QueryEscape(opt.MasterName)
	case cluster:
		return scheme + "://" + hosts
	default:
		return scheme + "://" + hosts + "/" + db
	}
}

// Reveal returns the whole URL, password included: for what opens the
// connection and nothing else.
func (t *Target) Reveal() string { return t.reveal() }
