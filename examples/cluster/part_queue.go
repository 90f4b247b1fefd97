package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// jobsPerNode is how many jobs each node has for all.
const jobsPerNode = 200

// queuePart lets each node enqueue jobs that all nodes work on. The jobs of the node
// that is killed, and of the one that is frozen, come back and are done by others.
func queuePart() Part { return Part{Name: "queue", Node: workOnJobs, Ends: true, Judge: judgeJobs} }

func workOnJobs(ctx context.Context, n *Node) (err error) {
	q, err := n.Queue("jobs")
	if err != nil {
		return err
	}
	done, err := os.Create(n.file("jobs"))
	if err != nil {
		return err
	}
	defer done.Close()
	consumer, err := q.Consume(ctx, func(_ context.Context, d *queue.Delivery) error {
		time.Sleep(20 * time.Millisecond)              // stands for work
		_, err := fmt.Fprintf(done, "%s\n", d.Payload) // in one write, which outlives a kill
		return err
	}, queue.ConsumeOptions{Concurrency: 4, Lease: time.Second, Name: n.Name})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, consumer.Close(context.WithoutCancel(ctx))) }()
	if err := n.enqueueOnce(ctx, q); err != nil {
		return err
	}
	for every := time.Tick(100 * time.Millisecond); ; {
		jobs, err := readJobs(n.Dir)
		if err != nil {
			return err
		}
		n.Progress(float64(len(jobs))/float64(n.Nodes*jobsPerNode), fmt.Sprintf("%d jobs done by all", len(jobs)))
		select {
		case <-n.Finish:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-every:
		}
	}
}

// enqueueOnce enqueues this node's jobs, in its first life. They have IDs where the
// queue remembers these: then a repeated attempt adds none.
func (n *Node) enqueueOnce(ctx context.Context, q queue.Queue) error {
	if n.Life > 1 {
		return nil // it is killed long after its jobs are stored
	}
	messages := make([]queue.Message, jobsPerNode)
	for i := range messages {
		job := fmt.Sprintf("%s/%d", n.Name, i)
		messages[i].Payload = []byte(job)
		if q.Capabilities().Can.Has(queue.CanDeduplicate) {
			messages[i].ID = queue.IDOf(job)
		}
	}
	_, err := q.EnqueueMany(ctx, messages)
	return err
}

// readJobs returns how often each job was done, by all lives of all nodes.
func readJobs(dir string) (map[string]int, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.jobs"))
	if err != nil {
		return nil, err
	}
	jobs := map[string]int{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			jobs[lines.Text()]++
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

func judgeJobs(r Record) Verdict {
	jobs, err := readJobs(r.Dir)
	if err != nil {
		return Verdict{Text: err.Error()}
	}
	want, repeated := r.Nodes*jobsPerNode, 0
	for _, n := range jobs {
		repeated += n - 1
	}
	return Verdict{
		Kept: len(jobs) == want,
		Text: fmt.Sprintf("%s of %s jobs done, lost: %d, done again after a death or a freeze: %d",
			grouped(len(jobs)), grouped(want), want-len(jobs), repeated),
		Figures: map[string]any{"jobs": want, "done": len(jobs), "lost": want - len(jobs), "repeated": repeated},
	}
}
