package cohort_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

// TestSIGTERMUnderLoad: a process that is asked to end says so to the load
// balancer first and goes on answering; jobs that run finish or go back; the
// worker number is given back last; nothing is left behind.
func TestSIGTERMUnderLoad(t *testing.T) {
	server := testenv.Redis(t)
	commands := watchCommands(t, server.Addr())
	child := testenv.Child(t, "shop", server.URL())
	base := "http://" + strings.TrimPrefix(child.Line(t), "at ")
	log := follow(child)
	customers := shopping(t, base)

	if code, body := fetch(t, http.MethodPost, base+"/order?kind=slow"); code != http.StatusOK {
		t.Fatalf("the slow job: %d %s", code, body)
	}
	eventually(t, "work has begun", func() bool { return log.count("did") > 50 && log.count("begin slow") == 1 })
	if code, body := fetch(t, http.MethodGet, base+"/readyz"); code != http.StatusOK {
		t.Errorf("before the end readyz is %d %s", code, body)
	}
	asked := time.Now()
	child.Interrupt()
	eventually(t, "readyz is 503", func() bool {
		code, _ := fetch(t, http.MethodGet, base+"/readyz")
		return code == http.StatusServiceUnavailable
	})
	if code, body := fetch(t, http.MethodPost, base+"/order"); code != http.StatusOK {
		t.Errorf("an order while unready: %d %s", code, body)
	}
	if code, _ := fetch(t, http.MethodGet, base+"/livez"); code != http.StatusOK {
		t.Errorf("livez while unready: %d", code)
	}
	accepted := customers()
	if err := child.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	took := time.Since(asked)
	if took > drainDelay+shopGrace {
		t.Errorf("the end took %v, longer than delay and grace", took)
	}
	log.await(t)
	if last := commands(); !strings.Contains(last, ":workerid:") {
		t.Errorf("the last command of the process is not the return of its worker number: %s", last)
	}
	if log.count("ended") != 1 || log.count("back slow") != 1 || log.count("begin") != log.count("did")+1 {
		t.Errorf("%d jobs began, %d ended, slow ones given back: %d; ended cleanly: %d",
			log.count("begin"), log.count("did"), log.count("back"), log.count("ended"))
	}
	t.Logf("%d orders, %d jobs done before the end, which took %v", len(accepted), log.count("did"), took)
	finishElsewhere(t, server, log, accepted)
}

// finishElsewhere works on what the process left, and looks for lost jobs.
func finishElsewhere(t *testing.T, server *testenv.Server, log *lines, accepted []string) {
	t.Helper()
	jobs, err := queueredis.New(server.Client(t), "jobs", queueredis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer jobs.Close(context.Background())
	inspector, _ := jobs.(queue.Inspector)
	before, err := inspector.Stats(t.Context())
	if err != nil || before.InFlight != 0 || before.Lapsed != 0 {
		t.Errorf("left in flight: %d, leases that lapsed: %d, %v", before.InFlight, before.Lapsed, err)
	}
	again := &lines{ended: make(chan struct{})}
	_, err = jobs.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
		again.add("did " + string(d.Payload))
		return nil
	}, queue.ConsumeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the rest is done", func() bool {
		st, err := inspector.Stats(t.Context())
		return err == nil && st.Left() == 0
	})
	for _, job := range accepted {
		if n := log.count("did "+job) + again.count("did "+job); n != 1 {
			t.Errorf("job %s was done %d times", job, n)
		}
	}
}

// shopping has customers order all the time, and fails t at the first order that is
// not answered. The function that it returns sends them home, as a load balancer
// does that has seen the 503, and returns the jobs of all orders.
func shopping(t *testing.T, base string) func() []string {
	t.Helper()
	closed := make(chan struct{})
	var mu sync.Mutex
	var accepted []string
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-closed:
					return
				default:
				}
				code, body, err := request(t.Context(), http.MethodPost, base+"/order")
				if err != nil || code != http.StatusOK {
					t.Errorf("an order was answered with %d %s: %v", code, body, err)
					return
				}
				mu.Lock()
				accepted = append(accepted, body)
				mu.Unlock()
			}
		})
	}
	return func() []string { close(closed); wg.Wait(); return accepted }
}

// request makes a connection of its own, as load balancers do for probes.
func request(ctx context.Context, method, url string) (code int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func fetch(t *testing.T, method, url string) (code int, body string) {
	t.Helper()
	code, body, err := request(t.Context(), method, url)
	if err != nil {
		t.Errorf("%s %s: %v", method, url, err)
	}
	return code, body
}

// lines are what a child has printed so far.
type lines struct {
	ended chan struct{}
	mu    sync.Mutex
	all   []string
}

func follow(child *testenv.ChildProcess) *lines {
	l := &lines{ended: make(chan struct{})}
	go func() { // until the child has ended
		defer close(l.ended)
		for line := range child.Lines() {
			l.add(line)
		}
	}()
	return l
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, line)
}

// count returns how many lines begin with the words of prefix.
func (l *lines) count(prefix string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

func (l *lines) await(t *testing.T) {
	t.Helper()
	select {
	case <-l.ended:
	case <-time.After(10 * time.Second):
		t.Error("the child's output does not end")
	}
}

// watchCommands notes what clients send to the server at addr from now on. The
// function that it returns tells the last command on a key.
func watchCommands(t *testing.T, addr string) func() string {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(conn, "MONITOR\r\n"); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var last string
	read := make(chan struct{})
	begun := make(chan struct{})
	go func() { // until the connection is closed
		defer close(read)
		scanner := bufio.NewScanner(conn)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			line := scanner.Text()
			if line == "+OK" {
				close(begun)
			}
			// written by a script: `lua] "get" ...`
			if strings.Contains(line, "cohort:") && !strings.Contains(line, " lua] ") {
				mu.Lock()
				last = line
				mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-read })
	select {
	case <-begun:
	case <-time.After(10 * time.Second):
		t.Fatal("MONITOR has no answer")
	}
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return last
	}
}
