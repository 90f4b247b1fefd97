package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

// signalPart has every node signal to all, and every node check that it misses
// nothing: each sender counts its signals.
func signalPart() Part {
	return Part{Name: "signals", Node: sendSignals, Judge: judgeSignals}
}

// tick is one signal: the sender and its life, and the how-manieth of it this is.
type tick struct {
	Node string
	Life int
	N    int
}

func (v tick) sender() string { return fmt.Sprintf("%s/%d", v.Node, v.Life) }

// ticks is what a node has seen.
type ticks struct {
	mu    sync.Mutex
	next  map[string]int  // by sender
	heard map[string]bool // nodes
	Seen  int
	Wrong int // signals that came out of turn without a Gap before them
	Gaps  int
	Sent  int
	Nodes int // heard of
}

func (t *ticks) see(v tick) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if next, known := t.next[v.sender()]; known && v.N != next {
		t.Wrong++
	}
	t.next[v.sender()] = v.N + 1
	t.Seen++
	t.heard[v.Node] = true
	t.Nodes = len(t.heard)
}

// gap makes the next signal of every sender acceptable.
func (t *ticks) gap() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.next)
	t.Gaps++
}

func sendSignals(ctx context.Context, n *Node) error {
	seen := &ticks{next: make(map[string]int), heard: make(map[string]bool)}
	topic := pubsub.NewTopic(n.PubSub(), "cluster.tick", pubsub.JSON[tick]())
	_, err := topic.Subscribe(ctx, func(_ context.Context, v tick, _ *pubsub.Delivery) error {
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
			v := tick{Node: n.Name, Life: n.Life, N: sent}
			if _, err := topic.Publish(ctx, v); err != nil {
				return err
			}
			sent++
			seen.mu.Lock()
			n.Show(fmt.Sprintf("%s signals of %d nodes, %d gaps", grouped(seen.Seen), seen.Nodes, seen.Gaps))
			seen.mu.Unlock()
		}
	}
}

func judgeSignals(r Record) Verdict {
	var all ticks
	nodes, complete := 0, 0
	for _, report := range r.Reports {
		var one ticks
		if report.Kind != "ticks" || json.Unmarshal(report.Data, &one) != nil {
			continue
		}
		nodes++
		if one.Nodes == r.Nodes {
			complete++
		}
		all.Seen, all.Sent = all.Seen+one.Seen, all.Sent+one.Sent
		all.Wrong, all.Gaps = all.Wrong+one.Wrong, all.Gaps+one.Gaps
	}
	return Verdict{
		Kept: nodes >= r.Nodes && complete == nodes && all.Wrong == 0,
		Text: fmt.Sprintf("%s signals seen, %d of %d nodes heard every node, %d missed without notice, %d gaps",
			grouped(all.Seen), complete, nodes, all.Wrong, all.Gaps),
		Figures: map[string]any{"seen": all.Seen, "complete": complete, "wrong": all.Wrong, "gaps": all.Gaps},
	}
}
