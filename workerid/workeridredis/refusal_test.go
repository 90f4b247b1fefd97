package workeridredis_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
	"github.com/cohort-go/cohort/workerid/workeridtest"
)

// TestBadNew lists every problem at once.
func TestBadNew(t *testing.T) {
	_, err := workeridredis.New(nil, workeridredis.Options{
		Options: workerid.Options{TTL: time.Millisecond}, Namespace: "a:b", Pool: strings.Repeat("x", 600),
		Replicas: -1, ReplicaTimeout: -time.Second,
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"client", "namespace", "pool", "TTL is 1ms", "Replicas is -1", "ReplicaTimeout is -1s"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error does not say %q:\n%v", part, err)
		}
	}
	ring := redis.NewRing(&redis.RingOptions{})
	defer ring.Close()
	if _, err := workeridredis.New(ring, workeridredis.Options{}); err == nil {
		t.Error("a Ring is accepted")
	}
}

// TestExhausted names the holders to the node that finds no number.
func TestExhausted(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, client redis.UniversalClient) {
		a := open(t, client, workeridredis.Options{})
		for i := range 32 {
			if _, err := a.Acquire(t.Context(), workerid.Request{Holder: "api-" + string(rune('A'+i))}); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		_, err := a.Acquire(t.Context(), workerid.Request{})
		took := time.Since(began)
		full, ok := errors.AsType[*workerid.ExhaustedError](err)
		if !ok || len(full.Holders) != 32 || !strings.Contains(err.Error(), `by "api-A"`) {
			t.Fatalf("33rd node: %v", err)
		}
		t.Logf("33rd node after %v: %v", took, err)
		if took > 100*time.Millisecond {
			t.Errorf("33rd node was told after %v", took)
		}
	})
}

// TestACL runs the suite as a user who may do only what the documentation lists.
func TestACL(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	client := server.Restricted(t, testenv.DocumentedRights(t, "doc.go", "cohort")[0])
	workeridtest.Run(t, func(t *testing.T) workeridtest.Server { return suiteServer(t, client, server.Client(t)) })
}

// TestBlind hides INFO: each new holder keeps the gap, and a lease that ran out
// is over.
func TestBlind(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	admin := server.Client(t)
	if err := admin.Do(t.Context(), "ACL", "SETUSER", "blind", "on", ">secret", "~*", "+@all", "-info").Err(); err != nil {
		t.Fatal(err)
	}
	client := server.Client(t, func(o *redis.Options) { o.Username, o.Password = "blind", "secret" })
	opts := quick(1)
	a := open(t, client, opts)
	terms, err := opts.Terms()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l := acquire(t, a)
		if lead := l.Window().Start - time.Now().UnixMilli(); lead < terms.Reach {
			t.Errorf("starts %d ms ahead, want %d or more", lead, terms.Reach)
		}
		<-l.Window().Moved // renewed
		if err := context.Cause(l.Context()); err != nil {
			t.Fatalf("lease ended: %v", err)
		}
		if err := l.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	l := acquire(t, a)
	server.Freeze()
	time.Sleep(700 * time.Millisecond)
	server.Thaw()
	select {
	case <-l.Context().Done():
		if cause := context.Cause(l.Context()); !errors.Is(cause, workerid.ErrLost) {
			t.Errorf("lease ended by %v", cause)
		}
	case <-time.After(5 * time.Second):
		t.Error("a lease that ran out goes on although losses cannot be seen")
	}
}
