package lockredis_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
)

func isErr(err error, target error) bool { return errors.Is(err, target) }

func hostPort(t testing.TB, addr string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// A server that stops answering: the lease ends by the local clock, before the
// server can have granted to another.
func TestTimingFrozenServer(t *testing.T) {
	testenv.Timing(t)
	for _, ttl := range []time.Duration{300 * time.Millisecond, time.Second, 3 * time.Second} {
		for _, honours := range []bool{true, false} {
			t.Run(fmt.Sprint(ttl, " ContextTimeoutEnabled ", honours), func(t *testing.T) {
				server := testenv.Redis(t)
				l := open(t, server.Client(t, func(o *redis.Options) { o.ContextTimeoutEnabled = honours }))
				margin := max(ttl/10, min(50*time.Millisecond, ttl/4))
				lease := acquire(t, l, "one", lock.Request{TTL: ttl})
				time.Sleep(ttl + ttl/2) // some renewals
				last := lease.Deadline()
				server.Freeze()
				for d := lease.Deadline(); !d.Equal(last); d = lease.Deadline() {
					last = d // an answer that was on its way
				}
				success := last.Add(margin - ttl) // when the last renewal was sent
				<-lease.Context().Done()
				took := time.Since(success)
				server.Thaw()
				if cause := context.Cause(lease.Context()); !errors.Is(cause, lock.ErrLost) {
					t.Errorf("cause %v", cause)
				}
				t.Logf("ended %v after the last success, deadline %v", took, ttl-margin)
				if took < ttl-2*margin || took > ttl-margin/2 {
					t.Errorf("ended after %v, want %v to %v", took, ttl-2*margin, ttl-margin/2)
				}
			})
		}
	}
}

// Close gives up in time when the server does not answer.
func TestTimingCloseFrozen(t *testing.T) {
	testenv.Timing(t)
	server := testenv.Redis(t)
	l := open(t, server.Client(t))
	lease := acquire(t, l, "one", lock.Request{})
	server.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := l.Close(ctx)
	took := time.Since(began)
	t.Logf("closed after %v: %v", took, err)
	if err == nil || took > 500*time.Millisecond {
		t.Errorf("closed after %v with %v, want an error after 300ms", took, err)
	}
	if !errors.Is(context.Cause(lease.Context()), lock.ErrLost) {
		t.Error("Close left a lease")
	}
	server.Thaw()
	time.Sleep(100 * time.Millisecond)
}
