package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// clients send requests through a load balancer without a pause and note every
// one that was not answered as it should.
type clients struct {
	base string
	http *http.Client
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex
	served map[string]int // by node
	jobs   int            // enqueued
	ids    map[string]bool
	lost   []string
}

// startClients starts one sender for each of requests, "METHOD /path", several
// times.
func startClients(t *testing.T, addr string, requests ...string) *clients {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &clients{
		base: "http://" + addr, stop: stop, served: map[string]int{}, ids: map[string]bool{},
		http: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
	}
	t.Cleanup(c.close)
	for range 2 {
		for _, r := range requests {
			c.wg.Go(func() { c.send(ctx, r) })
		}
	}
	return c
}

func (c *clients) close() {
	c.stop()
	c.wg.Wait()
	c.http.CloseIdleConnections()
}

func (c *clients) send(ctx context.Context, request string) {
	var method, path string
	fmt.Sscan(request, &method, &path)
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for ctx.Err() == nil {
		// A request that has begun goes on to its end.
		a, err := c.ask(context.WithoutCancel(ctx), method, path)
		c.mu.Lock()
		if err == nil && c.ids[a.ID] {
			err = fmt.Errorf("ID %s twice", a.ID)
		}
		if err != nil {
			c.lost = append(c.lost, request+": "+err.Error())
		} else {
			c.served[a.Node]++
			c.ids[a.ID] = true
			if method == http.MethodPost {
				c.jobs++
			}
		}
		c.mu.Unlock()
		<-pause.C
	}
}

func (c *clients) ask(ctx context.Context, method, path string) (a answer, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, nil)
	if err != nil {
		return a, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return a, fmt.Errorf("status %d", resp.StatusCode)
	}
	return a, json.NewDecoder(resp.Body).Decode(&a)
}

// awaitServed waits until node answers further requests.
func (c *clients) awaitServed(t *testing.T, node string) {
	t.Helper()
	before := c.count(node)
	await(t, node+" serves through the load balancer", func() error {
		if c.count(node) == before {
			return fmt.Errorf("still %d", before)
		}
		return nil
	})
}

func (c *clients) count(node string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.served[node]
}
