package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cohort-go/cohort/queue"
)

const (
	jobLease   = 2 * time.Second
	jobWorkers = 4
)

// work puts jobs into a queue and does them.
func work(ctx context.Context, l *life, j *journal, quiet func()) {
	q, err := l.node.Queue("jobs")
	if err != nil {
		j.failed(err)
		quiet()
		return
	}
	_, err = q.Consume(ctx, func(ctx context.Context, d *queue.Delivery) error {
		job := string(d.Payload)
		j.note("begun", job, time.Now().UnixNano())
		time.Sleep(rand.N(3 * time.Millisecond))
		if err := ctx.Err(); err != nil {
			return err
		}
		j.note("handled", job, time.Now().UnixNano())
		j.done()
		return nil
	}, queue.ConsumeOptions{
		Concurrency: jobWorkers, Prefetch: 16, Lease: jobLease, ShutdownGrace: 200 * time.Millisecond,
		OnError: func(error) {}, // what the workers meet is not what users see
	})
	if err != nil {
		j.failed(err)
		quiet()
		return
	}
	n := 0
	l.until(ctx, 2*time.Millisecond, func(ctx context.Context) {
		n++
		l.enqueue(ctx, q, fmt.Sprintf("%s-%d-%d", l.name, l.count, n), j)
	})
	quiet()
}

// enqueue tries until the job is stored, or ctx ends.
func (l *life) enqueue(ctx context.Context, q queue.Queue, job string, j *journal) {
	m := queue.Message{Payload: []byte(job), MaxAttempts: 100, Timeout: time.Minute}
	if l.node.Config().Queue.Kind != "rabbitmq" { // which knows no duplicates
		m.ID = queue.IDOf(job)
	}
	for {
		_, err := q.Enqueue(ctx, m)
		if err == nil || errors.Is(err, queue.ErrDuplicate) {
			j.note("stored", job)
			return
		}
		j.failed(err)
		if ctx.Err() != nil || errors.Is(err, queue.ErrClosed) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// open jobs are stored and not done yet.
func openJobs(c *course) (open int, repeats int) {
	handled := map[string]int{}
	lines := read(c, c.dir, "queue")
	for _, r := range lines {
		if r.words[0] == "handled" {
			handled[r.words[1]]++
		}
	}
	for _, r := range lines {
		if r.words[0] == "stored" && handled[r.words[1]] == 0 {
			open++
		}
	}
	for _, n := range handled {
		repeats += n - 1
	}
	return open, repeats
}

// judgeQueue looks for jobs that were stored and never done.
func judgeQueue(c *course) {
	open, repeats := openJobs(c)
	stored := 0
	for _, r := range read(c, c.dir, "queue") {
		if r.words[0] == "stored" {
			stored++
		}
	}
	back, orphans := returns(c)
	c.figure("%d jobs, %d lost, %d repeated, %d left by killed workers back within %v", stored, open, repeats, orphans, back.Round(10*time.Millisecond))
	if open > 0 && !c.forgets || stored == 0 {
		c.Errorf("queue: %d of %d jobs lost", open, stored)
	}
	if limit := 2 * (jobLease + time.Second); back > limit {
		c.Errorf("queue: a job of a killed worker was back after %v, want at most %v", back, limit)
	}
	if inFlight := c.killed * (jobWorkers + 16); c.onlyKills && repeats > inFlight {
		c.Errorf("queue: %d jobs repeated, with at most %d in flight at the kills", repeats, inFlight)
	}
}

// returns tells how long after a kill the jobs of the killed were begun anew.
func returns(c *course) (longest time.Duration, orphans int) {
	lines := read(c, c.dir, "queue")
	begun := map[string][]record{}
	handled := map[string]bool{}
	for _, r := range lines {
		switch r.words[0] {
		case "begun":
			begun[r.words[1]] = append(begun[r.words[1]], r)
		case "handled":
			handled[fmt.Sprint(r.words[1], r.node, r.life)] = true
		}
	}
	for job, runs := range begun {
		for _, run := range runs {
			died, killed := c.deaths[fmt.Sprint(run.node, ".", run.life)]
			if !killed || handled[fmt.Sprint(job, run.node, run.life)] {
				continue
			}
			orphans++
			for _, next := range runs {
				if at := time.Unix(0, next.number(2)); at.After(died) {
					longest = max(longest, at.Sub(died))
					break
				}
			}
		}
	}
	return longest, orphans
}
