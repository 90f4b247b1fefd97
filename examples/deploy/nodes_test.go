package main

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
)

// drain is how long a node serves on after it became unready: several times
// what HAProxy takes between two probes, and enough for nginx to send a request
// that it can move.
const drain = 1500 * time.Millisecond

// patience bounds the wait for whatever will happen, on any machine.
const patience = time.Minute

// nodes are three processes of the service on addresses that they keep.
type nodes struct {
	redis string
	addrs [3]string
	procs [3]*testenv.ChildProcess
}

func startNodes(t *testing.T) *nodes {
	t.Helper()
	n := &nodes{redis: testenv.Redis(t).URL()}
	for i := range n.addrs {
		n.addrs[i] = testenv.Addr(t)
		n.start(t, i)
	}
	for i := range n.addrs {
		n.awaitReady(t, i)
	}
	return n
}

func nodeName(i int) string { return "node" + strconv.Itoa(i+1) }

func (n *nodes) start(t *testing.T, i int) {
	t.Helper()
	n.procs[i] = testenv.Child(t, "service", n.redis, "-http", n.addrs[i], "-name", nodeName(i), "-drain", drain.String())
}

func (n *nodes) awaitReady(t *testing.T, i int) {
	t.Helper()
	await(t, nodeName(i)+" is ready", func() error {
		resp, err := http.Get("http://" + n.addrs[i] + "/readyz")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("/readyz says %d", resp.StatusCode)
		}
		return nil
	})
}

// end asks a node to end and waits until it has, in good order.
func (n *nodes) end(t *testing.T, i int) {
	t.Helper()
	n.procs[i].Interrupt()
	select {
	case <-n.procs[i].Ended():
	case <-time.After(patience):
		t.Fatalf("%s did not end after SIGTERM", nodeName(i))
	}
	if err := n.procs[i].Wait(); err != nil {
		t.Fatalf("%s ended with %v:\n%s", nodeName(i), err, n.procs[i].Log())
	}
}

// await polls check until it returns nil.
func await(t *testing.T, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s: %v", what, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
