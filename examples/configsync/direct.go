package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/embedded"
	"github.com/cohort-go/cohort/pubsub"
)

// direct starts the nodes and changes the configuration under them.
func direct(ctx context.Context, url string) (err error) {
	if url == "" {
		server, err := embedded.Start()
		if err != nil {
			return err
		}
		defer server.Close()
		url = server.URL()
	}
	opt, err := redis.ParseURL(url)
	if err != nil {
		return errors.New("-redis is not the URL of a Redis")
	}
	client := redis.NewClient(opt)
	defer client.Close()
	if err := client.Del(ctx, truth).Err(); err != nil {
		return err
	}
	road, err := newRelay(ctx, opt.Addr)
	if err != nil {
		return err
	}
	defer road.close()

	cast, err := start(ctx, map[string]string{
		"anna": url, "bert": url, "cleo": strings.Replace(url, opt.Addr, road.addr(), 1),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cast.end()) }()
	return play(ctx, client, road, cast)
}

// play is what happens: a change that all see, a node that is cut off while more
// is changed than the signals that are kept, and its return.
func play(ctx context.Context, client redis.UniversalClient, road *relay, cast *cast) error {
	ps, err := open(client, pubsub.Options{Name: "operator"})
	if err != nil {
		return err
	}
	defer closeIn(time.Second, ps.Close)
	if err := cast.await(ctx, `has 0 values`, "anna", "bert", "cleo"); err != nil {
		return err
	}
	if err := set(ctx, client, ps, Change{"color", "red"}); err != nil {
		return err
	}
	if err := cast.await(ctx, `has 1 values, color is "red"`, "anna", "bert", "cleo"); err != nil {
		return err
	}
	fmt.Println("--- cleo is cut off, and 60 values are set")
	road.cut()
	for i := range 60 {
		if err := set(ctx, client, ps, Change{"value" + strconv.Itoa(i), "x"}); err != nil {
			return err
		}
	}
	if err := cast.await(ctx, "has 61 values", "anna", "bert"); err != nil {
		return err
	}
	fmt.Println("--- cleo is back")
	road.mend()
	if err := cast.await(ctx, "has 61 values", "cleo"); err != nil {
		return err
	}
	if err := set(ctx, client, ps, Change{"stop", "now"}); err != nil {
		return err
	}
	return cast.await(ctx, "has 62 values", "anna", "bert", "cleo")
}

// cast is the node processes and what they said.
type cast struct {
	processes []*exec.Cmd
	readers   sync.WaitGroup

	mu   sync.Mutex
	said map[string][]string
	news chan struct{}
}

func start(ctx context.Context, urls map[string]string) (*cast, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &cast{said: make(map[string][]string), news: make(chan struct{}, 1)}
	for name, url := range urls {
		process := exec.CommandContext(ctx, program, "-node", name, "-redis", url)
		process.Stderr = os.Stderr
		output, err := process.StdoutPipe()
		if err != nil {
			return nil, errors.Join(err, c.end())
		}
		if err := process.Start(); err != nil {
			return nil, errors.Join(err, c.end())
		}
		c.processes = append(c.processes, process)
		c.readers.Go(func() {
			for lines := bufio.NewScanner(output); lines.Scan(); {
				c.hear(name, lines.Text())
			}
		})
	}
	return c, nil
}

func (c *cast) hear(name, line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.said[name]); n == 0 || c.said[name][n-1] != line {
		if !strings.HasPrefix(line, "has ") || noteworthy(line) {
			fmt.Printf("%s: %s\n", name, line)
		}
	}
	c.said[name] = append(c.said[name], line)
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// noteworthy leaves out the steps between the numbers that the play waits for.
func noteworthy(line string) bool {
	for _, n := range []string{"has 0 ", "has 1 ", "has 61 ", "has 62 "} {
		if strings.HasPrefix(line, n) {
			return true
		}
	}
	return false
}

// await waits until each of the nodes has said a line that begins so.
func (c *cast) await(ctx context.Context, prefix string, names ...string) error {
	limit, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		missing := ""
		c.mu.Lock()
		for _, name := range names {
			if !said(c.said[name], prefix) {
				missing = name
			}
		}
		c.mu.Unlock()
		if missing == "" {
			return nil
		}
		select {
		case <-c.news:
		case <-limit.Done():
			return fmt.Errorf("%s did not say %q: %w", missing, prefix, limit.Err())
		}
	}
}

func said(lines []string, prefix string) bool {
	for _, line := range lines {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}

// end waits for the nodes, which end by themselves after the play, for a moment.
func (c *cast) end() error {
	var errs []error
	late := time.AfterFunc(3*time.Second, func() {
		for _, p := range c.processes {
			_ = p.Process.Kill()
		}
	})
	defer late.Stop()
	c.readers.Wait()
	for _, p := range c.processes {
		errs = append(errs, p.Wait())
	}
	return errors.Join(errs...)
}
