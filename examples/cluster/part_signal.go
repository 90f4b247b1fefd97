package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
)

// signalPart has every node signal to all, and every node check that it misses
// nothing: each sender counts its signals.
func signalPart() Part {
	return Part{Name: "signals", Node: sendSignals, Judge: judgeSignals}
}

// tick is one signal: the sender's life, and the how-manieth of it this is.
type tick struct {
	Sender string
	N      int
}

// ticks is what a node has seen.
type ticks struct {
	mu     sync.Mutex
	next   map[string]int // by sender
	Seen   int
	Wrong  int // signals that came out of turn without a Gap before them
	Gaps   int
	Sent   int
	Nearby int // senders heard of
}

func (t *ticks) see(v tick) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if next, known := t.next[v.Sender]; known && v.N != next {
		t.Wrong++
	}
	t.next[v.Sender] = v.N + 1
	t.Seen++
	t.Nearby = len(t.next)
}

// gap makes the next signal of every sender acceptable.
func (t *ticks) gap() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.next)
	t.Gaps++
}

func sendSignals(ctx context.Context, n *Node) (err error) {
	ps, err := pubsubredis.New(n.Redis, pubsubredis.Options{
		Options: pubsub.Options{Name: n.Name}, Namespace: n.Namespace,
	})
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		err = errors.Join(err, ps.Close(closing))
	}()
	seen := &ticks{next: make(map[string]int)}
	topic := pubsub.NewTopic(ps, "cluster.tick", pubsub.JSON[tick]())
	_, err = topic.Subscribe(ctx, func(_ context.Context, v tick, _ *pubsub.Delivery) error {
		seen.see(v)
		return nil
	}, pubsub.SubscribeOptions{OnGap: func(context.Context, pubsub.Gap) error {
		seen.gap()
		return nil
	}})
	if err != nil {
		return err
	}
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for sent := 0; ; {
		select {
		case <-n.Finish:
			seen.mu.Lock()
			defer seen.mu.Unlock()
			seen.Sent = sent
			return n.Report("ticks", seen)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-every.C:
			v := tick{Sender: fmt.Sprintf("%s-%d", n.Name, n.Life), N: sent}
			if _, err := topic.Publish(ctx, v); err != nil {
				return err
			}
			sent++
			seen.mu.Lock()
			n.Show(fmt.Sprintf("%s signals of %d senders, %d gaps", grouped(seen.Seen), seen.Nearby, seen.Gaps))
			seen.mu.Unlock()
		}
	}
}

func judgeSignals(r Record) Verdict {
	var all ticks
	nodes := 0
	for _, report := range r.Reports {
		var one ticks
		if report.Kind != "ticks" || json.Unmarshal(report.Data, &one) != nil {
			continue
		}
		nodes++
		all.Seen, all.Sent = all.Seen+one.Seen, all.Sent+one.Sent
		all.Wrong, all.Gaps = all.Wrong+one.Wrong, all.Gaps+one.Gaps
	}
	return Verdict{
		Kept: nodes >= r.Nodes && all.Wrong == 0 && all.Seen > all.Sent,
		Text: fmt.Sprintf("%s signals seen on %d nodes, %d missed without notice, %d gaps",
			grouped(all.Seen), nodes, all.Wrong, all.Gaps),
		Figures: map[string]any{"seen": all.Seen, "wrong": all.Wrong, "gaps": all.Gaps},
	}
}
