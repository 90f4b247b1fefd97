package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

// lockPart has every node count in one shared record, which a lock guards. Each
// node falls asleep once while it holds the lock, as a frozen process would, and
// wakes up to find that its write is refused.
func lockPart() Part {
	return Part{Name: "lock", Node: countTogether, Judge: judgeLock}
}

// A node falls asleep in the middle of its turns, and has done its part after
// enough of them. It goes on until the show ends.
const (
	asleep = 20
	enough = 40
)

// tally is what a node knows of its own counting.
type tally struct {
	Mine    int // its count in the record, as it last wrote it
	Turns   int
	Lost    int // updates that somebody has overwritten
	Refused int // own writes after it had been overtaken
	slept   bool
}

func countTogether(ctx context.Context, n *Node) (err error) {
	locker, err := lockredis.New(n.Redis, lockredis.Options{Namespace: n.Namespace})
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		err = errors.Join(err, locker.Close(closing))
	}()
	gate, err := lockredis.NewFenceGate(n.Redis, n.Namespace)
	if err != nil {
		return err
	}
	t := tally{Mine: -1}
	for every := time.Tick(5 * time.Millisecond); ; {
		select {
		case <-n.Finish:
			return n.Report("tally", t)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-every:
		}
		err := t.turn(ctx, n, locker, gate)
		switch {
		case errors.Is(err, lock.ErrStale):
			t.Refused++
		case err != nil && !errors.Is(err, lock.ErrLost):
			return err
		}
		n.Progress(min(1, float64(t.Turns)/enough), fmt.Sprintf("%s turns, %d refused", grouped(t.Turns), t.Refused))
	}
}

// turn adds one to the node's count in the record.
func (t *tally) turn(ctx context.Context, n *Node, locker lock.Locker, gate *lockredis.FenceGate) error {
	o := lock.Request{TTL: 400 * time.Millisecond}
	o.NoRenew = !t.slept // nobody renews for a process that is frozen
	return lock.Do(ctx, locker, "record", o, func(_ context.Context, lease *lock.Lease) error {
		record, err := read(ctx, gate, lease.Fence())
		if err != nil {
			return err
		}
		if t.Mine >= 0 && record[n.Name] != t.Mine {
			t.Lost++
		}
		if !t.slept && t.Turns == asleep {
			t.slept = true
			time.Sleep(2 * o.TTL)
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

// read shows the fence before it reads, so that no earlier holder writes any more.
func read(ctx context.Context, gate *lockredis.FenceGate, fence uint64) (map[string]int, error) {
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
	return Verdict{
		Kept: nodes >= r.Nodes && all.Lost == 0 && all.Turns > 0,
		Text: fmt.Sprintf("%s turns of %d nodes, lost updates: %d, writes of overtaken holders refused: %d",
			grouped(all.Turns), nodes, all.Lost, all.Refused),
		Figures: map[string]any{"turns": all.Turns, "lost": all.Lost, "refused": all.Refused},
	}
}
