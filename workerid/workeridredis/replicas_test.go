package workeridredis_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
	"github.com/cohort-go/cohort/workerid/workeridtest"
)

// replicated are options of leases that one replica must have.
func replicated() workeridredis.Options {
	opts := quick(2)
	opts.Fresh, opts.Replicas, opts.ReplicaTimeout = true, 1, 100*time.Millisecond
	return opts
}

// TestReplicas takes the replica away, before a grant and before a renewal, and
// at last the primary: what was promised is on the replica.
func TestReplicas(t *testing.T) {
	t.Parallel()
	primary := testenv.Redis(t, "--repl-diskless-sync-delay", "0")
	replica := testenv.Redis(t)
	proxy := testenv.NewProxy(t, primary.Addr())
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	a := open(t, client, replicated())

	_, err := a.Acquire(t.Context(), workerid.Request{})
	if !errors.Is(err, workerid.ErrNotReplicated) {
		t.Fatalf("without a replica: %v", err)
	}
	follow(t, replica, primary)
	l := replicatedLease(t, a)
	if list, err := a.Holders(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("holders are %v, %v; what was not replicated should have been given back", list, err)
	}
	<-l.Window().Moved // renewed with its replica

	replica.Freeze()
	awaitFailure(t, l)
	before := l.Window()
	time.Sleep(500 * time.Millisecond)
	if w := l.Window(); w.Mark != before.Mark || l.Now() < w.Mark || l.Context().Err() != nil {
		t.Errorf("without its replica the window went from %v to %v at %d: %v", before.Mark, w.Mark, l.Now(), l.Context().Err())
	}
	replica.Thaw()
	select {
	case <-before.Moved:
	case <-time.After(20 * time.Second):
		t.Fatalf("not renewed after the replica is back: %+v", l.Status())
	}

	mark := l.Window().Mark
	primary.Kill()
	if err := replica.Client(t).ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	record, err := replica.Client(t).HGet(t.Context(), "cohort:workerid:{default}:numbers", strconv.Itoa(l.ID())).Result()
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Split(record, " ") // see ledger.lua
	if kept, err := strconv.ParseInt(fields[6], 10, 64); err != nil || kept < mark || fields[0] == "" {
		t.Errorf("the replica has %q, whose mark is %d, %v; the holder was promised %d", record, kept, err, mark)
	}
}

// replicatedLease asks until the replica has caught up.
func replicatedLease(t *testing.T, a workerid.Allocator) *workerid.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		l, err := a.Acquire(ctx, workerid.Request{Wait: true})
		if err == nil {
			return l
		}
		if !errors.Is(err, workerid.ErrNotReplicated) {
			t.Fatal(err)
		}
	}
}

// awaitFailure waits until a renewal has failed for want of a replica.
func awaitFailure(t *testing.T, l *workerid.Lease) {
	t.Helper()
	for began := time.Now(); !errors.Is(l.Status().Err, workerid.ErrNotReplicated); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("no renewal failed: %+v", l.Status())
		}
	}
}

func follow(t *testing.T, replica, primary *testenv.Server) {
	t.Helper()
	host, port, _ := net.SplitHostPort(primary.Addr())
	if err := replica.Client(t).ReplicaOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
}

// TestReplicatedSuite runs the suite with a replica that must acknowledge everything.
func TestReplicatedSuite(t *testing.T) {
	t.Parallel()
	primary := testenv.Redis(t, "--repl-diskless-sync-delay", "0")
	replica := testenv.Redis(t)
	follow(t, replica, primary)
	client := primary.Client(t)
	conn := client.Conn() // WAIT looks at the writes of its connection
	defer conn.Close()
	acknowledged := func() {
		t.Helper()
		if err := conn.Set(t.Context(), "written", 1, 0).Err(); err != nil {
			t.Fatal(err)
		}
		for n := 0; n < 1; {
			var err error
			if n, err = conn.Do(t.Context(), "wait", 1, 1000).Int(); err != nil {
				t.Fatal(err)
			}
		}
	}
	acknowledged()
	workeridtest.Run(t, func(t *testing.T) workeridtest.Server {
		b, err := workeridredis.NewBackend(client, workeridredis.Options{Pool: t.Name(), Replicas: 1, ReplicaTimeout: 100 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		return workeridtest.Server{
			Backend: b, Elapse: time.Sleep, Lose: func() { flush(t, client) },
			Isolate: func(isolated bool) {
				if isolated {
					replica.Freeze()
					return
				}
				replica.Thaw()
				acknowledged()
			},
		}
	})
}
