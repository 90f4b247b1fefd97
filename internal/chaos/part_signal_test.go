package chaos

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

// talk sends numbered signals and listens to those of all nodes.
func talk(ctx context.Context, l *life, j *journal, quiet func()) {
	ears := &ears{journal: j, last: map[string]int64{}, left: map[string]bool{}}
	options := pubsub.SubscribeOptions{OnGap: ears.gap}
	if l.slow {
		options.QueueSize = 16
	}
	sub, err := subscribe(ctx, l, j, func(_ context.Context, d *pubsub.Delivery) error {
		if l.slow {
			time.Sleep(5 * time.Millisecond)
		}
		ears.hear(string(d.Payload))
		return nil
	}, options)
	if err != nil {
		quiet()
		return
	}
	defer sub.Close(context.WithoutCancel(ctx))
	var n int64
	l.until(ctx, 2*time.Millisecond, func(ctx context.Context) {
		n++
		if say(ctx, l, fmt.Sprint(l.name, " ", l.count, " ", n)) == nil {
			j.note("sent", n)
			j.done()
		} else {
			j.note("unsure", n)
		}
	})
	l.part(ctx, ears, quiet)
}

func subscribe(ctx context.Context, l *life, j *journal, h pubsub.Handler, o pubsub.SubscribeOptions) (pubsub.Subscription, error) {
	for {
		sub, err := l.node.PubSub().Subscribe(ctx, "chaos.signals", h, o)
		if err == nil || ctx.Err() != nil {
			return sub, err
		}
		j.failed(err)
		time.Sleep(50 * time.Millisecond)
	}
}

func say(ctx context.Context, l *life, text string) error {
	_, err := l.node.PubSub().Publish(ctx, pubsub.Message{Channel: "chaos.signals", Payload: []byte(text)})
	return err
}

// part says goodbye until the node ends, and is quiet when all nodes have.
func (l *life) part(ctx context.Context, ears *ears, quiet func()) {
	every := time.NewTicker(200 * time.Millisecond)
	defer every.Stop()
	for told := false; ; {
		select {
		case <-l.end:
		case <-ctx.Done():
		case <-every.C:
			_ = say(ctx, l, fmt.Sprint(l.name, " bye")) // said again if that failed
			if !told && ears.deserted() == l.nodes {
				told = true
				quiet()
			}
			continue
		}
		if !told {
			quiet()
		}
		return
	}
}

// ears is what one subscription has heard.
type ears struct {
	journal *journal

	mu   sync.Mutex
	last map[string]int64 // by sender and its life
	left map[string]bool  // nodes that said goodbye
}

func (e *ears) hear(text string) {
	var node string
	var count, n int64
	if _, err := fmt.Sscan(text, &node, &count, &n); err != nil {
		e.mu.Lock()
		e.left[node] = true
		e.mu.Unlock()
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	sender := fmt.Sprint(node, ".", count)
	last, known := e.last[sender]
	e.last[sender] = n
	switch {
	case !known, n == last+1, last < 0:
	case n > last+1:
		e.journal.note("hole", node, count, last+1, n-1)
	default:
		e.journal.note("again", node, count, n)
	}
}

// gap marks that something was missed from every sender.
func (e *ears) gap(_ context.Context, g pubsub.Gap) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.journal.note("gap", g.Missed)
	for sender := range e.last {
		delete(e.last, sender)
	}
	return nil
}

func (e *ears) deserted() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.left)
}

// judgeSignals looks for signals that were stored and missed without a word.
func judgeSignals(c *course) {
	stored := map[string]bool{}
	lines := read(c, c.dir, "signals")
	sent, gaps, again, lost := 0, 0, 0, 0
	for _, r := range lines {
		switch r.words[0] {
		case "sent":
			sent++
			stored[fmt.Sprint(r.node, " ", r.life, " ", r.words[1])] = true
		case "gap":
			gaps++
		case "again":
			again++
		}
	}
	for _, r := range lines {
		if r.words[0] != "hole" {
			continue
		}
		for n := r.number(3); n <= r.number(4); n++ {
			if stored[fmt.Sprint(r.words[1], " ", r.words[2], " ", n)] {
				lost++
			}
		}
	}
	c.figure("%d signals to %d nodes, %d gaps told, %d missed silently, %d twice or out of order", sent, c.nodes, gaps, lost, again)
	if lost > 0 || again > 0 || sent == 0 {
		c.Errorf("signals: sent %d, missed silently %d, twice or out of order %d", sent, lost, again)
	}
}
