package lockredis_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
)

// Locks work over TLS with certificates on both sides, the subscription too.
func TestTLS(t *testing.T) {
	files := testenv.NewCertificates(t)
	server := testenv.RedisTLS(t, files, true)
	secure := func() *redis.Client {
		c := redis.NewClient(&redis.Options{Addr: server.TLSAddr(), TLSConfig: files.Config(t, true), ContextTimeoutEnabled: true})
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	a, b := open(t, secure()), open(t, secure())
	lease := acquire(t, a, "one", lock.Request{})
	next := make(chan error, 1)
	go func() { // ends with the lease
		l, err := b.Acquire(t.Context(), "one", lock.Request{})
		if err == nil {
			err = l.Release(t.Context())
		}
		next <- err
	}()
	waiting(t, a, 1)
	release(t, lease)
	if err := <-next; err != nil {
		t.Errorf("the next holder: %v", err)
	}
}

// A server that asks for a certificate refuses at once and for good.
func TestTLSRefused(t *testing.T) {
	files := testenv.NewCertificates(t)
	server := testenv.RedisTLS(t, files, true)
	client := redis.NewClient(&redis.Options{Addr: server.TLSAddr(), TLSConfig: files.Config(t, false), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	if lease, err := open(t, client).Acquire(t.Context(), "one", lock.Request{}); err == nil {
		t.Errorf("granted %v", lease.Token())
	}
}
