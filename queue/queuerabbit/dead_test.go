package queuerabbit_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuerabbit"
)

// bury puts n messages straight among the dead of a queue that has been declared.
func bury(t *testing.T, url, name string, n int) {
	t.Helper()
	ch := channel(t, url)
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	var confirms []*amqp.DeferredConfirmation
	for i := range n {
		c, err := ch.PublishWithDeferredConfirm("", "cohort.queue."+name+".dead", true, false, amqp.Publishing{
			DeliveryMode: amqp.Persistent, Body: fmt.Append(nil, i), MessageId: queue.IDOf(fmt.Sprint(i)).String(),
		})
		if err != nil {
			t.Fatal(err)
		}
		confirms = append(confirms, c)
	}
	for _, c := range confirms {
		if !c.Wait() {
			t.Fatal("not confirmed")
		}
	}
}

// TestDeadInPages looks at more dead messages than are held at once, from two
// processes, while the connections are closed now and then: nothing is lost.
func TestDeadInPages(t *testing.T) {
	const n = 450
	broker := testenv.RabbitMQ(t)
	name := fmt.Sprint("pages-", rand.Uint64())
	var nodes []queue.Queue
	for range 2 {
		nodes = append(nodes, open(t, connect(t, broker.URL()), name, queuerabbit.Options{}))
	}
	put(t, nodes[0], "declares it")
	bury(t, broker.URL(), name, n)

	look := func(q queue.Queue, offset, limit int) (queue.Page, error) {
		i, _ := q.(queue.Inspector)
		return i.List(within(t, patience), queue.ListRequest{State: queue.StateDead, Offset: offset, Limit: limit})
	}
	for offset := 0; offset < n; offset += 90 {
		page, err := look(nodes[offset/90%2], offset, 90)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Messages) != 90 || page.More != (offset+90 < n) {
			t.Fatalf("at %d: %d messages, more: %t", offset, len(page.Messages), page.More)
		}
		for i, m := range page.Messages {
			if m.ID != queue.IDOf(fmt.Sprint(offset+i)) {
				t.Fatalf("message %d is %s", offset+i, m.Payload)
			}
		}
	}

	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				_, _ = look(nodes[i%2], 0, 1) // cut off now and then
			}
		}
	}()
	for range 3 {
		closeConnections(t, broker)
	}
	close(stop)
	<-ended
	await(t, "all are dead as before", func() bool { return ready(t, broker.URL(), "cohort.queue."+name+".dead") == n })

	c, _ := nodes[0].(queue.Controller)
	moved, err := c.Redrive(within(t, patience), queue.RedriveOptions{Filter: func(m queue.Info) bool { return m.Payload[0] == '1' }})
	if err != nil || moved != 111 {
		t.Errorf("%d redriven: %v", moved, err)
	}
	if _, err := c.Purge(t.Context()); !errors.Is(err, queue.ErrUnsupported) {
		t.Errorf("purge of all states: %v, want ErrUnsupported", err)
	}
	i, _ := nodes[0].(queue.Inspector)
	st, err := i.Stats(t.Context())
	if err != nil || st.ReadyTotal() != 112 || st.Dead != n-111 || time.Since(st.Now) > time.Minute {
		t.Errorf("%+v, %v", st, err)
	}
	for what, err := range map[string]error{
		"cancel of a ready one": c.Cancel(t.Context(), queue.IDOf("1")),
		"pause":                 c.Pause(t.Context(), time.Time{}),
		"get of a ready one":    second(i.Get(t.Context(), queue.IDOf("1"))),
		"consumers":             second(i.Consumers(t.Context())),
		"list of what is ready": second(i.List(t.Context(), queue.ListRequest{State: queue.StateReady})),
	} {
		if !errors.Is(err, queue.ErrUnsupported) {
			t.Errorf("%s: %v, want ErrUnsupported", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
