package main

import (
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
		"REDIS_URL": os.Getenv("REDIS_URL"), "QUEUE_ADAPTER": cohort.Redis,
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
	nodes := map[string]*exec.Cmd{}
	for name, mode := range map[string]string{"web": "!", "worker-1": topic, "worker-2": topic} {
		if nodes[name], err = start(ctx, variables, name, mode, out); err != nil {
			return err
		}
	}
	killed := nodes["worker-1"]
	kill := time.AfterFunc(time.Second, func() {
		fmt.Fprintln(out, "parent    kills worker-1")
		_ = killed.Process.Kill()
	})
	defer kill.Stop()
	err = watch(ctx, variables, out)
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

// watch prints what the queue knows until all jobs are done.
func watch(ctx context.Context, variables map[string]string, out io.Writer) (err error) {
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
		fmt.Fprintf(out, "queue     %2d ready, %2d in flight, %2d done, %d leases lost\n", st.ReadyTotal(), st.InFlight, st.Done, st.Lapsed)
		if st.Done == jobs {
			fmt.Fprintln(out, "parent    every job is done, although a worker was killed")
			return nil
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return errors.New("not all jobs were done in time")
		}
	}
}
