package redisconn

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisurl"
)

// Pools shares clients, and with them their connections, between all who open
// the same URL. The methods are safe for concurrent use.
type Pools struct {
	mu    sync.Mutex
	pools map[key]*pool
}

// key stands for a URL without holding its secrets.
type key [sha256.Size]byte

type pool struct {
	client redis.UniversalClient
	users  int
}

// NewPools returns an empty Pools.
func NewPools() *Pools { return &Pools{pools: make(map[key]*pool)} }

// Conn is one use of a shared client.
type Conn struct {
	client redis.UniversalClient
	target *redisurl.Target
	close  func() error // once
}

// Open returns a use of the client of rawURL, whose forms package redisurl
// lists, once the server answers. It tries until ctx ends, or for five seconds
// if ctx has no deadline; a refusal that does not pass by itself, such as a
// wrong password, ends it at once. No error holds a secret.
func (p *Pools) Open(ctx context.Context, rawURL string) (*Conn, error) {
	target, err := redisurl.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	c := p.use(sha256.Sum256([]byte(rawURL)), target)
	err = Retry(ctx, c.client, 0, func(ctx context.Context) error { return c.client.Ping(ctx).Err() })
	if err != nil {
		_ = c.Close()
		if target.Shows(err.Error()) {
			err = errors.New("the server does not understand the login and repeats it")
		}
		return nil, fmt.Errorf("%s: %w", target, err)
	}
	return c, nil
}

func (p *Pools) use(k key, target *redisurl.Target) *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	shared, ok := p.pools[k]
	if !ok {
		shared = &pool{client: target.NewClient()}
		followSlots(shared.client)
		p.pools[k] = shared
	}
	shared.users++
	return &Conn{
		client: shared.client,
		target: target,
		close:  sync.OnceValue(func() error { return p.release(k) }),
	}
}

func (p *Pools) release(k key) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	shared := p.pools[k]
	shared.users--
	if shared.users > 0 {
		return nil
	}
	delete(p.pools, k)
	return shared.client.Close()
}

// Client is the shared client; Close of the Conn closes it, nothing else may.
// Its commands end with their ctx.
func (c *Conn) Client() redis.UniversalClient { return c.client }

// String is the URL without credentials.
func (c *Conn) String() string { return c.target.String() }

// Close ends this use. The last one closes the client. A second Close of the
// same Conn does nothing.
func (c *Conn) Close() error { return c.close() }
