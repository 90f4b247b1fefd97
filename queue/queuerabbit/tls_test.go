package queuerabbit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuerabbit"
	"github.com/cohort-go/cohort/queue/queuetest"
)

// runSome checks some promises of the suite against the broker at url.
func runSome(t *testing.T, url string, names ...string) {
	t.Helper()
	for _, p := range queuetest.Promises() {
		if !slices.Contains(names, p.Name) {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			name := fmt.Sprint("some-", rand.Uint64())
			p.Check(t, queuetest.Harness{Open: func(t testing.TB, opts queue.Options) queue.Queue {
				return open(t, connect(t, url), name, queuerabbit.Options{Options: opts})
			}, Patience: patience})
		})
	}
}

// TestTLS: all works through TLS with a client's certificate, also after a reconnect,
// and nothing without one or with another authority.
func TestTLS(t *testing.T) {
	const secret = "hunter2"
	files := testenv.NewCertificates(t)
	broker := testenv.RabbitTLS(t, files, true)
	at := func(user, authority, cert, key string) string {
		files := url.Values{"cacertfile": {authority}}
		if cert != "" {
			files["certfile"], files["keyfile"] = []string{cert}, []string{key}
		}
		return "amqps://" + user + "@" + broker.TLSAddr() + "/?" + files.Encode()
	}
	good := at("guest:guest", files.CA, files.ClientCert, files.ClientKey)
	runSome(t, good, "Delivers", "Batch", "Retries", "LooksAtDead", "Redrives")

	q := open(t, connect(t, good), "tls", queuerabbit.Options{})
	put(t, q, "before")
	closeConnections(t, broker)
	put(t, q, "after")
	for range 2 {
		if err := receive(t, q).Settle(within(t, patience), nil); err != nil {
			t.Error(err)
		}
	}

	other := testenv.NewCertificates(t)
	for what, bad := range map[string]string{
		"no certificate":    at("guest:"+secret, files.CA, "", ""),
		"another authority": at("guest:"+secret, other.CA, files.ClientCert, files.ClientKey),
		"a stranger":        at("guest:"+secret, files.CA, other.ClientCert, other.ClientKey),
	} {
		conn := connect(t, bad)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		err := conn.Ping(ctx)
		cancel()
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := connect(t, at("guest:"+secret, files.CA, files.ClientCert, files.ClientKey)).Ping(within(t, patience)); err == nil ||
		strings.Contains(err.Error(), secret) {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestContainer runs a part of the suite on RabbitMQ in a container, and stops that for
// a while: what was confirmed is there afterwards.
func TestContainer(t *testing.T) {
	c := testenv.RabbitContainer(t, "rabbitmq:4")
	url := "amqp://guest:guest@" + c.Addr() + "/"
	runSome(t, url, "Delivers", "Batch", "Shares", "Retries", "Dies", "GivesBack", "LooksAtDead")

	q := open(t, connect(t, url), "paused", queuerabbit.Options{})
	put(t, q, "before")
	c.Pause(t)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := q.Enqueue(ctx, queue.Message{Payload: []byte("during")}); !errors.Is(err, queue.ErrUncertain) {
		t.Errorf("while it is stopped: %v, want ErrUncertain", err)
	}
	c.Unpause(t)
	put(t, q, "after")
	seen := map[string]bool{}
	for !seen["before"] || !seen["after"] {
		d := receive(t, q)
		seen[string(d.Payload)] = true
		if err := d.Settle(within(t, patience), nil); err != nil {
			t.Error(err)
		}
	}
}
