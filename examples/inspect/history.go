package main

import (
	"context"
	"sync"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// Samples are taken every sampleEvery and kept for maxSamples of them; new queues
// are looked for every findEvery, because that reads through all keys.
const (
	sampleEvery = 2 * time.Second
	maxSamples  = 151
	findEvery   = 30 * time.Second
)

// sample is what a queue held at one moment.
type sample struct{ ready, inFlight, dead int }

// track is a queue over time, the newest sample last.
type track struct {
	row     queueRow
	rates   queue.Rates
	samples []sample
}

// history samples all queues. Its methods are safe for concurrent use.
type history struct {
	src *source

	mu     sync.Mutex
	tracks map[string]*track
	names  []string
	err    error // of the last look for queues
}

func newHistory(src *source) *history {
	return &history{src: src, tracks: make(map[string]*track)}
}

// run samples until ctx ends.
func (h *history) run(ctx context.Context) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	var found time.Time
	for {
		if time.Since(found) >= findEvery {
			h.find(ctx)
			found = time.Now()
		}
		h.sample(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (h *history) find(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	names, err := h.src.names(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err = err; err == nil {
		h.names = names
	}
}

// sample looks at every queue that is known.
func (h *history) sample(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	h.mu.Lock()
	names := h.names
	h.mu.Unlock()
	for _, name := range names {
		h.note(h.src.queue(ctx, name))
	}
}

func (h *history) note(row queueRow) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tracks[row.Name]
	if t == nil {
		t = &track{}
		h.tracks[row.Name] = t
	}
	if row.Problem == "" && !t.row.stats.Now.IsZero() {
		t.rates = row.stats.Since(t.row.stats)
	}
	t.row = row
	if row.Problem == "" {
		t.samples = append(t.samples, sample{row.Ready + row.Waiting + row.Delayed, row.InFlight, row.Dead})
		t.samples = t.samples[max(0, len(t.samples)-maxSamples):]
	}
}

// list returns the queues in order, with what went wrong in finding them.
func (h *history) list() ([]track, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []track
	for _, name := range h.names {
		if t := h.tracks[name]; t != nil {
			c := *t
			c.samples = append([]sample(nil), t.samples...)
			list = append(list, c)
		}
	}
	return list, h.err
}
