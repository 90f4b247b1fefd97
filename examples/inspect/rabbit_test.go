package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
)

// TestRabbitMQ shows and changes what a broker lets one see of a queue.
func TestRabbitMQ(t *testing.T) {
	env := map[string]string{
		"QUEUE_ADAPTER": "rabbitmq", "RABBITMQ_URL": testenv.RabbitURL(t),
		"CLUSTER_NAMESPACE": fmt.Sprint("inspect-", rand.Uint64()),
	}
	getenv := func(name string) string { return env[name] }
	node, err := cohort.Open(t.Context(), cohort.Options{Getenv: getenv, NoWorker: true})
	check(t, err)
	defer func() { check(t, node.Close(context.Background())) }()
	q, err := node.Queue("mails")
	check(t, err)
	for _, text := range []string{"bad", "good"} {
		_, err = q.Enqueue(t.Context(), queue.Message{Payload: []byte(text), Kind: "mail"})
		check(t, err)
	}
	list, err := q.Receive(t.Context(), 1, time.Minute)
	check(t, err)
	check(t, list[0].Settle(t.Context(), queue.Dead(errors.New("no such address"))))

	do := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		check(t, run(t.Context(), append([]string{"-queues", "mails"}, args...), getenv, &out))
		return out.String()
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"queues"}, "only ready and dead messages can be counted"},
		{[]string{"dead"}, "no such address"},
		{[]string{"-write", "redrive", "mails"}, "1 message is ready again"},
		{[]string{"-write", "-state", "dead", "purge", "mails"}, "0 dead messages are removed"},
	} {
		if out := do(test.args...); !strings.Contains(out, test.want) {
			t.Errorf("%v: no %q in\n%s", test.args, test.want, out)
		}
	}
	if err := run(t.Context(), []string{"-queues", "mails", "-write", "pause", "mails"}, getenv, &bytes.Buffer{}); !errors.Is(err, queue.ErrUnsupported) {
		t.Errorf("pause: %v, want ErrUnsupported", err)
	}
}
