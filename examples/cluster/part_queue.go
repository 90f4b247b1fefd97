package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

// jobsPerNode is how many jobs each node has for all.
const jobsPerNode = 200

// queuePart lets each node enqueue jobs that all nodes work on. The jobs of the node
// that is killed come back and are done by others.
func queuePart() Part { return Part{Name: "queue", Node: workOnJobs, Judge: judgeJobs} }

func workOnJobs(ctx context.Context, n *Node) error {
	q, err := queueredis.New(n.Redis, "jobs", queueredis.Options{Namespace: n.Namespace})
	if err != nil {
		return err
	}
	defer q.Close(context.WithoutCancel(ctx))
	var done atomic.Int64
	_, err = q.Consume(ctx, func(context.Context, *queue.Delivery) error {
		time.Sleep(2 * time.Millisecond)
		n.Show(fmt.Sprintf("%d jobs done here", done.Add(1)))
		return nil
	}, queue.ConsumeOptions{Concurrency: 4, Lease: time.Second, Name: n.Name})
	if err != nil {
		return err
	}
	messages := make([]queue.Message, jobsPerNode)
	for i := range messages { // the same in every life: enqueued once
		messages[i].ID = queue.IDOf(fmt.Sprintf("%s/%d", n.Name, i))
	}
	if _, err := q.EnqueueMany(ctx, messages); err != nil && n.Life == 1 {
		return err
	}
	select {
	case <-n.Finish:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return reportJobs(ctx, n, q)
}

// reportJobs tells what the queue knows once nothing is left to do.
func reportJobs(ctx context.Context, n *Node, q queue.Queue) error {
	inspector, _ := q.(queue.Inspector)
	for {
		st, err := inspector.Stats(ctx)
		if err != nil {
			return err
		}
		if st.Left() == 0 {
			return n.Report("stats", st.Accounts)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func judgeJobs(r Record) Verdict {
	var last queue.Accounts
	for _, report := range r.Reports {
		var a queue.Accounts
		if err := json.Unmarshal(report.Data, &a); err != nil {
			return Verdict{Text: err.Error()}
		}
		if a.Done >= last.Done {
			last = a
		}
	}
	want := int64(r.Nodes * jobsPerNode)
	return Verdict{
		Kept:    last.Done == want && last.Enqueued == want,
		Text:    fmt.Sprintf("%d of %d jobs done, lost: %d, leases taken over from the dead: %d", last.Done, want, want-last.Done, last.Lapsed),
		Figures: map[string]any{"jobs": want, "done": last.Done, "lapsed": last.Lapsed},
	}
}
