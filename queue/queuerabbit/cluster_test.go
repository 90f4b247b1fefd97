package queuerabbit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuerabbit"
)

// TestCluster: messages that were confirmed are not lost, and none of them dies, while
// connections are closed every 2 s, the leader of the queue is killed and comes back,
// the empty queue is deleted under its consumers, and memory runs out (in the long form
// for 5 s).
func TestCluster(t *testing.T) {
	least, closes, alarmed := 1_000, 1, time.Second
	if testenv.Long() {
		least, closes, alarmed = 100_000, 5, 5*time.Second
	}
	set := testenv.RabbitCluster(t, 3)
	l := newLoad(t, set, "storm")
	for round := 0; round == 0 || l.stored() < least; round++ {
		for range closes {
			time.Sleep(2 * time.Second)
			l.begin("forced close")
			set.Nodes[round%3].Ctl(t, "close_all_connections", "test")
		}
		l.stopLeader(t, set)
		l.deleteEmpty(t, set.Nodes[0])
		l.exhaust(t, set, alarmed)
	}
	l.judge(t)
}

// A load is producers and consumers at work.
type load struct {
	queue     string
	nodes     []queue.Queue
	producers sync.WaitGroup
	stop      chan struct{}
	gate      sync.RWMutex // closed to have the queue run empty
	next      atomic.Int64
	blocked   atomic.Int64 // enqueues that heard that the broker blocks
	late      atomic.Int64 // the longest that one took beyond its deadline, ns

	mu       sync.Mutex
	kept     map[string]bool // confirmed
	handled  map[string]bool
	last     time.Time // when something was handled
	fault    string    // the last one
	silences map[string]time.Duration
	refusals map[string]int
}

const (
	loadProducers = 16
	loadDeadline  = 2 * time.Second
)

func newLoad(t *testing.T, set *testenv.RabbitSet, name string) *load {
	l := &load{
		queue: name, stop: make(chan struct{}), kept: map[string]bool{}, handled: map[string]bool{},
		refusals: map[string]int{}, silences: map[string]time.Duration{}, last: time.Now(),
	}
	for i := range 2 {
		urls := set.URLs()
		q := open(t, connect(t, append(urls[i:], urls[:i]...)...), name, queuerabbit.Options{})
		l.nodes = append(l.nodes, q)
		_, err := q.Consume(t.Context(), l.handle, queue.ConsumeOptions{OnError: func(error) {}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range loadProducers {
		l.producers.Go(func() { l.produce(l.nodes[i%2]) })
	}
	return l
}

func (l *load) handle(_ context.Context, d *queue.Delivery) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handled[string(d.Payload)] = true
	l.silences[l.fault] = max(l.silences[l.fault], time.Since(l.last).Round(time.Millisecond))
	l.last = time.Now()
	return nil
}

// begin notes which fault the silences that follow belong to.
func (l *load) begin(fault string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault, l.last = fault, time.Now()
}

func (l *load) produce(q queue.Queue) {
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		l.gate.RLock()
		l.store(q, queue.Message{Payload: fmt.Append(nil, l.next.Add(1))})
		l.gate.RUnlock()
		time.Sleep(2 * time.Millisecond) // for others on the machine
	}
}

// store tries until the message is confirmed.
func (l *load) store(q queue.Queue, m queue.Message) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), loadDeadline)
		begun := time.Now()
		_, err := q.Enqueue(ctx, m)
		cancel()
		if late := time.Since(begun) - loadDeadline; int64(late) > l.late.Load() {
			l.late.Store(int64(late))
		}
		if errors.Is(err, queuerabbit.ErrBlocked) {
			l.blocked.Add(1)
		}
		l.mu.Lock()
		if err == nil {
			l.kept[string(m.Payload)] = true
		} else {
			l.refusals[kindOf(err)]++
		}
		l.mu.Unlock()
		if err == nil || errors.Is(err, queue.ErrClosed) {
			return
		}
	}
}

func kindOf(err error) string {
	for _, kind := range []error{
		queuerabbit.ErrBlocked, queue.ErrUncertain, queue.ErrQueueFull, queuerabbit.ErrUnroutable, context.DeadlineExceeded,
	} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	return "other"
}

func (l *load) stored() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.kept)
}

// open is how many messages were confirmed and not handled yet.
func (l *load) open() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for text := range l.kept {
		if !l.handled[text] {
			n++
		}
	}
	return n
}

// stopLeader kills the node that leads the queue and starts it again.
func (l *load) stopLeader(t *testing.T, set *testenv.RabbitSet) {
	t.Helper()
	list := set.Nodes[0].Ctl(t, "list_queues", "name", "leader")
	for _, n := range set.Nodes {
		if strings.Contains(list, "cohort.queue."+l.queue+"\t"+n.Node()) {
			l.begin("dead leader")
			n.Kill()
			before := l.stored()
			await(t, "messages are confirmed without the leader", func() bool { return l.stored() > before+100 })
			n.Restart(t)
			return
		}
	}
	t.Errorf("nobody leads the queue: %s", list)
}

// deleteEmpty deletes the queue under its consumers, while a message is on the ladder.
func (l *load) deleteEmpty(t *testing.T, node *testenv.Rabbit) {
	t.Helper()
	l.gate.Lock()
	defer l.gate.Unlock()
	await(t, "the queue runs empty", func() bool { return l.open() == 0 })
	l.begin("deleted queue")
	l.store(l.nodes[0], queue.Message{Payload: fmt.Append(nil, l.next.Add(1)), Delay: 3 * time.Second})
	node.Ctl(t, "delete_queue", "cohort.queue."+l.queue)
}

// exhaust has all nodes run out of memory for a while.
func (l *load) exhaust(t *testing.T, set *testenv.RabbitSet, d time.Duration) {
	t.Helper()
	limit := func(to string) {
		var calls sync.WaitGroup
		for _, n := range set.Nodes {
			calls.Go(func() { n.Ctl(t, "set_vm_memory_high_watermark", to) })
		}
		calls.Wait()
	}
	before := l.blocked.Load()
	l.begin("memory alarm")
	limit("0.00001")
	await(t, "producers hear that the broker blocks", func() bool { return l.blocked.Load() > before })
	time.Sleep(d)
	limit("0.6")
	l.begin("end of the alarm")
}

func (l *load) judge(t *testing.T) {
	t.Helper()
	close(l.stop)
	l.producers.Wait()
	await(t, "all that was confirmed is handled", func() bool { return l.open() == 0 })
	i, _ := l.nodes[0].(queue.Inspector)
	st, err := i.Stats(within(t, patience))
	if err != nil || st.Dead > 0 {
		t.Errorf("%d healthy messages are dead: %v", st.Dead, err)
	}
	if late := time.Duration(l.late.Load()); late > 10*time.Second {
		t.Errorf("an enqueue took %v longer than its deadline", late)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t.Logf("%d confirmed, 0 lost, %d dead; silence of all consumers after each fault, at the longest: %v; "+
		"an enqueue was at most %v beyond its deadline; not confirmed at once: %v",
		len(l.kept), st.Dead, l.silences, time.Duration(max(l.late.Load(), 0)).Round(time.Millisecond), l.refusals)
}
