package lock

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// NodeCommand is the first argument of a process that is a node.
const NodeCommand = "lock-node"

// A task is what the process of a node is told: the second argument.
type task struct {
	Library    string
	URL        string
	Counters   string // path
	Name       string // of the lock
	Goroutines int
	Section    time.Duration
}

// A lap is what a node says of one round.
type lap struct {
	Stints  []stint
	Mallocs uint64
	Err     string
}

// Node is the main function of a process that is a node: each line that it reads
// is a round. It ends with its input.
func Node(text string) error {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return err
	}
	shared, err := mapCounters(t.Counters)
	if err != nil {
		return err
	}
	n, err := open(t.Library, t.URL)
	if err != nil {
		return err
	}
	defer n.close()
	w := workload{nodes: 1, goroutines: t.Goroutines, section: t.Section}
	out := json.NewEncoder(os.Stdout)
	for rounds := bufio.NewScanner(os.Stdin); rounds.Scan(); {
		before := frame.Mallocs()
		r := race{workload: w, name: t.Name, counters: shared}
		stints, err := r.run(context.Background(), n)
		l := lap{Stints: stints, Mallocs: frame.Mallocs() - before}
		if err != nil {
			l.Err = err.Error()
		}
		if err := out.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// A process is a node in a process of its own.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func start(t task) (*process, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, NodeCommand, string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &process{cmd, in, json.NewDecoder(out)}, cmd.Start()
}

// stop lets the process end and waits for it.
func (p *process) stop() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// processes are the nodes of one contender.
type processes struct {
	shared *counters
	path   string
	all    []*process
}

func openProcesses(w workload, t task) (*processes, error) {
	path, shared, err := newCounters()
	p := &processes{shared: shared, path: path}
	if err != nil {
		p.close()
		return nil, err
	}
	t.Counters, t.Goroutines, t.Section = path, w.goroutines, w.section
	for range w.nodes {
		one, err := start(t)
		if err != nil {
			p.close()
			return nil, err
		}
		p.all = append(p.all, one)
	}
	return p, nil
}

func (p *processes) close() {
	for _, one := range p.all {
		one.stop()
	}
	_ = os.Remove(p.path)
}

// run is one round of n turns.
func (p *processes) run(_ context.Context, n int, m *frame.Meter) error {
	p.shared.left.Store(int64(n))
	for _, one := range p.all {
		if _, err := fmt.Fprintln(one.in); err != nil {
			return err
		}
	}
	var stints []stint
	var errs []error
	for _, one := range p.all {
		var l lap
		if err := one.out.Decode(&l); err != nil {
			return fmt.Errorf("a node has ended: %w", err)
		}
		if l.Err != "" {
			errs = append(errs, errors.New(l.Err))
		}
		m.AddMallocs(l.Mallocs)
		stints = append(stints, l.Stints...)
	}
	report(stints, m)
	return errors.Join(errs...)
}
