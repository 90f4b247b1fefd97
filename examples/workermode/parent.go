package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/internal/embedded"
	"github.com/cohort-go/cohort/queue"
)

// parent starts the nodes, kills a worker, and waits until every job is done.
func parent(ctx context.Context, _ []string, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	variables := map[string]string{
		"REDIS_URL": os.Getenv("REDIS_URL"), "RABBITMQ_URL": os.Getenv("RABBITMQ_URL"),
		"QUEUE_ADAPTER":     cmp.Or(os.Getenv("QUEUE_ADAPTER"), cohort.Redis),
		"CLUSTER_NAMESPACE": "workermode-" + strconv.Itoa(os.Getpid()),
	}
	if variables["REDIS_URL"] == "" {
		server, err := embedded.Start()
		if err != nil {
			return err
		}
		defer server.Close()
		variables["REDIS_URL"] = server.URL()
	}
	all := &ledger{out: out, done: map[string]bool{}, victim: "worker-1", atWork: make(chan struct{})}
	nodes := map[string]*exec.Cmd{}
	for name, mode := range map[string]string{"web": "!", "worker-1": topic, "worker-2": topic} {
		if nodes[name], err = start(ctx, variables, name, mode, &account{ledger: all}); err != nil {
			return err
		}
	}
	killed := nodes["worker-1"]
	go func() { // ends with ctx at the latest
		select {
		case <-all.atWork:
			fmt.Fprintln(all, "parent    kills worker-1")
			_ = killed.Process.Kill()
		case <-ctx.Done():
		}
	}()
	err = watch(ctx, variables, all)
	for _, n := range nodes {
		if n == killed {
			_ = n.Process.Kill()
			_ = n.Wait() // it was killed
			continue
		}
		err = errors.Join(err, n.Process.Signal(syscall.SIGTERM), n.Wait())
	}
	return err
}

func start(ctx context.Context, variables map[string]string, name, mode string, out io.Writer) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	n := exec.CommandContext(ctx, self, name)
	n.Env = append(os.Environ(), "WORKER_MODE="+mode)
	for variable, value := range variables {
		n.Env = append(n.Env, variable+"="+value)
	}
	n.Stdout, n.Stderr = out, os.Stderr
	return n, n.Start()
}

// watch prints what the queue knows until the workers have said that all jobs are done.
func watch(ctx context.Context, variables map[string]string, all *ledger) (err error) {
	n, err := cohort.Open(ctx, cohort.Options{
		Getenv: func(name string) string { return variables[name] }, NoWorker: true,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(context.WithoutCancel(ctx))) }()
	q, err := n.Queue(topic)
	if err != nil {
		return err
	}
	inspector, ok := q.(queue.Inspector)
	if !ok {
		return errors.New("the queue cannot be inspected")
	}
	for {
		st, err := inspector.Stats(ctx)
		if err != nil {
			return err
		}
		done := all.count()
		fmt.Fprintf(all, "parent    %2d done, %s\n", done, known(q, st))
		if done == jobs {
			fmt.Fprintln(all, "parent    every job is done, although a worker was killed")
			return nil
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return errors.New("not all jobs were done in time")
		}
	}
}

// known is what the backend can tell of its messages.
func known(q queue.Queue, st queue.Stats) string {
	if !q.Capabilities().Can.Has(queue.CanInspect) {
		return fmt.Sprintf("%2d ready", st.ReadyTotal())
	}
	return fmt.Sprintf("%2d ready, %2d in flight, %d leases lost", st.ReadyTotal(), st.InFlight, st.Lapsed)
}
