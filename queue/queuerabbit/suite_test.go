package queuerabbit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuerabbit"
	"github.com/cohort-go/cohort/queue/queuetest"
)

// connect returns a Conn that ends with t.
func connect(t testing.TB, urls ...string) *queuerabbit.Conn {
	t.Helper()
	conn, err := queuerabbit.NewConn(queuerabbit.ConnOptions{}, urls...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := conn.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return conn
}

// open returns a queue of that name that ends with t.
func open(t testing.TB, conn *queuerabbit.Conn, name string, opts queuerabbit.Options) queue.Queue {
	t.Helper()
	q, err := queuerabbit.New(conn, name, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = q.Close(ctx) // cases that test Close look at its error
	})
	return q
}

func TestSuite(t *testing.T) {
	url := testenv.RabbitURL(t)
	queuetest.Run(t, func(*testing.T) queuetest.Harness {
		name := fmt.Sprint("suite-", rand.Uint64())
		return queuetest.Harness{Open: func(t testing.TB, opts queue.Options) queue.Queue {
			return open(t, connect(t, url), name, queuerabbit.Options{Options: opts, Namespace: "suite"})
		}}
	})
}
