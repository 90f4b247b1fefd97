package queuerabbit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
)

// TestUnroutable: what no queue takes is an error although the broker confirms it, and
// what stands beside it is none.
func TestUnroutable(t *testing.T) {
	conn, err := NewConn(ConnOptions{}, testenv.RabbitURL(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	defer func() { _ = conn.Close(ctx) }()
	b, err := NewBackend(conn, fmt.Sprint("unroutable-", rand.Uint64()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close(ctx) }()
	s, _ := b.(*store)
	p, err := s.publishing(ctx)
	if err != nil {
		t.Fatal(err)
	}
	items := make([]*outgoing, 3*maxUnconfirmed)
	for i := range items {
		items[i] = &outgoing{key: s.names.main, message: amqp.Publishing{Body: []byte("x")}}
		if i%3 == 1 {
			items[i].key = "nowhere"
		}
	}
	for i, err := range p.publish(ctx, items) {
		if lost := i%3 == 1; lost != errors.Is(err, ErrUnroutable) || !lost && err != nil {
			t.Fatalf("message %d of %d: %v", i, len(items), err)
		}
	}
}

// TestPendingAtClose: what was sent and not confirmed when the connection went is
// uncertain, and not refused.
func TestPendingAtClose(t *testing.T) {
	broker := testenv.RabbitMQ(t)
	conn, err := NewConn(ConnOptions{}, broker.URL())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	defer func() { _ = conn.Close(ctx) }()
	b, err := NewBackend(conn, "pending", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close(ctx) }()
	s, _ := b.(*store)
	p, err := s.publishing(ctx)
	if err != nil {
		t.Fatal(err)
	}
	broker.Freeze()
	got := make(chan []error, 1)
	go func() {
		got <- p.publish(ctx, []*outgoing{{key: s.names.main, message: amqp.Publishing{Body: []byte("x")}}})
	}()
	sent := func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.window[0] != nil
	}
	for !sent() && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	broker.Kill()
	if errs := <-got; !errors.Is(errs[0], queue.ErrUncertain) || errors.Is(errs[0], context.DeadlineExceeded) {
		t.Errorf("got %v, want ErrUncertain", errs[0])
	}
}

// TestWire: what a corked wire keeps back goes out at once and in order.
func TestWire(t *testing.T) {
	near, far := net.Pipe()
	w := &wire{Conn: near, closed: make(chan struct{})}
	got := make(chan string, 10)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b := make([]byte, 2*maxHeld)
		for {
			n, err := far.Read(b)
			if err != nil {
				if !errors.Is(err, io.EOF) {
					t.Error(err)
				}
				return
			}
			if n > 10 {
				got <- fmt.Sprint(n)
				continue
			}
			got <- string(b[:n])
		}
	}()
	write := func(text string) {
		t.Helper()
		if n, err := io.WriteString(w, text); err != nil || n != len(text) {
			t.Errorf("%d, %v", n, err)
		}
	}
	w.cork()
	write("a")
	write("b")
	w.uncork()
	write("c")
	w.cork()
	write("d")
	write(string(make([]byte, maxHeld)))
	write("e")
	w.uncork()
	for _, want := range []string{"ab", "c", "d", fmt.Sprint(maxHeld), "e"} {
		if text := <-got; text != want {
			t.Errorf("got %q, want %q", text, want)
		}
	}
	w.cork()
	write("f")
	_ = w.Close()
	w.uncork() // nobody takes it any more
	<-ended
}
