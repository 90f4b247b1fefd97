package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cohort-go/cohort/internal/redisurl"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

// lockPart has every node count in one shared record, which a lock guards. One node
// is frozen while it holds the lock, and wakes up to find that its write is refused.
func lockPart() Part {
	return Part{Name: "lock", Node: countTogether, Ends: true, Judge: judgeLock}
}

// A node has done its part after enough turns, and goes on until the show ends. The
// one that is frozen is so in the middle of them.
const (
	frozenTurn = 20
	enough     = 40
	turnTTL    = 400 * time.Millisecond
)

// tally is what a node knows of its own counting.
type tally struct {
	Mine    int // its count in the record, as it last wrote it
	Turns   int
	Lost    int // updates that somebody has overwritten
	Refused int // own writes after it had been overtaken
	frozen  bool
}

func countTogether(ctx context.Context, n *Node) (err error) {
	gate, end, err := openGate(n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	spans, err := os.Create(n.file("spans"))
	if err != nil {
		return err
	}
	defer spans.Close()
	t := tally{Mine: -1}
	for every := time.Tick(5 * time.Millisecond); ; {
		select {
		case <-n.Finish:
			return n.Report("tally", t)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-every:
		}
		err := t.turn(ctx, n, gate, spans)
		switch {
		case errors.Is(err, lock.ErrStale):
			t.Refused++
		case err != nil && !errors.Is(err, lock.ErrLost):
			return err
		}
		n.Progress(min(1, float64(t.Turns)/enough), fmt.Sprintf("%s turns, %d refused", grouped(t.Turns), t.Refused))
	}
}

// openGate opens the record on the server of the locks.
func openGate(n *Node) (gate *lockredis.FenceGate, end func() error, err error) {
	url := os.Getenv(n.Config().Lock.From)
	if url == "" {
		url = localRedis
	}
	target, err := redisurl.Parse(url)
	if err != nil {
		return nil, nil, err
	}
	client := target.NewClient()
	gate, err = lockredis.NewFenceGate(client, n.Config().Namespace)
	return gate, client.Close, err
}

// turn adds one to the node's count in the record, and writes down for how long it
// held the lock.
func (t *tally) turn(ctx context.Context, n *Node, gate *lockredis.FenceGate, spans *os.File) error {
	return lock.Do(ctx, n.Locker(), "record", lock.Request{TTL: turnTTL}, func(_ context.Context, lease *lock.Lease) error {
		held := span{From: time.Now().UnixNano()}
		record, err := readRecord(ctx, gate, lease.Fence())
		if err != nil {
			return err
		}
		if t.Mine >= 0 && record[n.Name] != t.Mine {
			t.Lost++
		}
		if n.Freezes && !t.frozen && t.Turns == frozenTurn {
			t.frozen = true
			if err := n.Freeze(ctx, turnTTL); err != nil {
				return err
			}
		}
		held.Until = min(time.Now().UnixNano(), lease.Deadline().UnixNano())
		if err := held.write(spans); err != nil {
			return err
		}
		record[n.Name]++
		raw, err := json.Marshal(record)
		if err != nil {
			return err
		}
		if err := gate.Set(ctx, "record", lease.Fence(), raw); err != nil {
			return err
		}
		t.Mine = record[n.Name]
		t.Turns++
		return nil
	})
}

// readRecord shows the fence before it reads, so that no earlier holder writes any
// more.
func readRecord(ctx context.Context, gate *lockredis.FenceGate, fence uint64) (map[string]int, error) {
	record := make(map[string]int)
	if err := gate.Enter(ctx, "record", fence); err != nil {
		return nil, err
	}
	raw, err := gate.Get(ctx, "record")
	if err != nil || raw == nil {
		return record, err
	}
	return record, json.Unmarshal(raw, &record)
}

func judgeLock(r Record) Verdict {
	var all tally
	nodes := 0
	for _, report := range r.Reports {
		var one tally
		if report.Kind != "tally" || json.Unmarshal(report.Data, &one) != nil {
			continue
		}
		nodes++
		all.Turns, all.Lost, all.Refused = all.Turns+one.Turns, all.Lost+one.Lost, all.Refused+one.Refused
	}
	spans, shared, err := readSpans(r.Dir)
	if err != nil {
		return Verdict{Text: err.Error()}
	}
	frozen := canFreeze && r.Nodes > 1
	return Verdict{
		Kept: nodes >= r.Nodes && all.Lost == 0 && shared == 0 && spans >= all.Turns && all.Turns > 0 && (all.Refused > 0 || !frozen),
		Text: fmt.Sprintf("%s turns of %d nodes, shared: %d, lost updates: %d, writes of overtaken holders refused: %d",
			grouped(all.Turns), nodes, shared, all.Lost, all.Refused),
		Figures: map[string]any{"turns": all.Turns, "shared": shared, "lost": all.Lost, "refused": all.Refused},
	}
}
