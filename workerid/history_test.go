package workerid_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// TestHistories sends random histories to the ledger of this package and to the
// scripts: each answer is the same to the millisecond. The scripts run twice, on
// the server of the simulation and on a miniredis.
func TestHistories(t *testing.T) {
	mini := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: mini.Addr()})
	defer client.Close()
	rapid.Check(t, func(r *rapid.T) {
		h := newHistory(r)
		defer h.close()
		if rapid.Bool().Draw(r, "on miniredis") {
			h.join(r, client, mini.SetTime)
			h.sim.runID, h.sim.repID = "", "" // miniredis has no identity and hides nothing
			h.plain = true
		}
		h.run(r)
	})
}

// newHistory has the ledger and the simulated server.
func newHistory(r *rapid.T) *history {
	h := &history{ledger: workerid.NewLedger(), now: 1_700_000_000_000}
	h.sim = newSimRedis(func() int64 { return h.now })
	h.simClient = h.sim.client()
	var err error
	if h.terms, err = simOptions().Terms(); err != nil {
		r.Fatal(err)
	}
	h.backends = []workerid.Backend{h.ledger, backendOn(r, h.simClient)}
	return h
}

func (h *history) close() {
	_ = h.simClient.Close()
	h.sim.state.Close()
}

// join has another server, without data, asked the same.
func (h *history) join(r *rapid.T, client *redis.Client, setTime func(time.Time)) {
	h.backends = append(h.backends, backendOn(r, client))
	h.client, h.setTime = client, setTime
	h.flush(r)
}

func (h *history) flush(r *rapid.T) {
	if h.client == nil {
		return
	}
	if err := h.client.FlushAll(r.Context()).Err(); err != nil {
		r.Fatal(err)
	}
}

func (h *history) run(r *rapid.T) {
	h.tell()
	r.Repeat(map[string]func(*rapid.T){
		"acquire": h.acquire,
		"renew":   h.renew,
		"release": h.release,
		"holders": h.holders,
		"elapse":  h.elapse,
		"lose":    h.lose,
	})
}

func backendOn(r *rapid.T, client *redis.Client) workerid.Backend {
	b, err := workeridredis.NewBackend(client, workeridredis.Options{})
	if err != nil {
		r.Fatal(err)
	}
	return b
}

// history is several backends that are asked the same.
type history struct {
	ledger    *workerid.Ledger
	sim       *simRedis
	simClient *redis.Client
	client    *redis.Client // of the server that joined, or nil
	setTime   func(time.Time)
	backends  []workerid.Backend
	terms     workerid.Terms
	now       int64
	texts     int
	plain     bool // the server that joined has no identity
	held      []*held
}

// held is a grant that somebody remembers.
type held struct {
	workerid.Grant

	token   string
	known   []string
	request workerid.AcquireRequest
}

// tell sets the clocks and identities of all servers.
func (h *history) tell() {
	h.ledger.Now, h.ledger.Server, h.ledger.Blind = h.now, h.sim.runID+h.sim.repID, h.sim.blind
	if h.setTime != nil {
		h.setTime(time.UnixMilli(h.now))
	}
}

func (h *history) text() string { h.texts++; return fmt.Sprintf("text%d", h.texts) }

// same asks all backends and compares their answers.
func same[A any](r *rapid.T, h *history, ask func(workerid.Backend) (A, error)) (A, error) {
	want, wantErr := ask(h.backends[0])
	for i, b := range h.backends[1:] {
		got, err := ask(b)
		if fmt.Sprint(got) != fmt.Sprint(want) || verdict(err) != verdict(wantErr) {
			r.Fatalf("backend %d answers %v, %s\nthe ledger %v, %s", i+1, got, verdict(err), want, verdict(wantErr))
		}
	}
	return want, wantErr
}

// verdict is what an error says, without how it says it.
func verdict(err error) string {
	if full, ok := errors.AsType[*workerid.ExhaustedError](err); ok {
		return fmt.Sprint("exhausted ", full.Count, full.Holders, full.FirstExpiry)
	}
	for _, known := range []error{workerid.ErrLost, workerid.ErrClockBehind, workerid.ErrClockAhead, workerid.ErrConfigMismatch} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return fmt.Sprint(err)
}

func (h *history) acquire(r *rapid.T) {
	req := workerid.AcquireRequest{
		Terms: h.terms, Token: h.text(), Nonce: h.text(),
		Wall: h.now + rapid.SampledFrom([]int64{0, -40, 40, -3_600_000, 3_600_000, 90_000_000}).Draw(r, "clock"),
		Seed: rapid.Uint32().Draw(r, "seed"), Preferred: rapid.IntRange(-3, simNumbers-1).Draw(r, "preferred"),
		Fresh: rapid.IntRange(0, 4).Draw(r, "fresh") == 0, Holder: "somebody with blanks",
	}
	req.Preferred = max(req.Preferred, -1)
	if len(h.held) > 0 {
		switch rapid.IntRange(0, 8).Draw(r, "again") {
		case 0:
			req.Token = h.pick(r).token
		case 1:
			req = h.pick(r).request
		}
	}
	g, err := same(r, h, func(b workerid.Backend) (workerid.Grant, error) { return b.Acquire(r.Context(), req) })
	if err == nil {
		h.held = append(h.held, &held{Grant: g, token: req.Token, known: []string{req.Nonce}, request: req})
	}
}

func (h *history) pick(r *rapid.T) *held {
	if len(h.held) == 0 {
		r.Skip("nothing is held")
	}
	return rapid.SampledFrom(h.held).Draw(r, "holder")
}

func (h *history) renew(r *rapid.T) {
	l := h.pick(r)
	req := workerid.RenewRequest{
		Terms: h.terms, ID: l.ID, Token: l.token, Known: slices.Clone(l.known), Nonce: h.text(),
		Want:       h.now + rapid.Int64Range(-100, 2000).Draw(r, "want"),
		Generation: l.Generation, Start: l.Start, Mark: l.Mark, Until: l.Expires, Holder: "somebody",
	}
	g, err := same(r, h, func(b workerid.Backend) (workerid.Grant, error) { return b.Renew(r.Context(), req) })
	switch {
	case err != nil:
	case rapid.Bool().Draw(r, "the reply gets lost"):
		l.known = append(l.known, req.Nonce)
	default:
		l.Grant, l.known = g, []string{req.Nonce}
	}
}

func (h *history) release(r *rapid.T) {
	l := h.pick(r)
	req := workerid.ReleaseRequest{Terms: h.terms, ID: l.ID, Token: l.token, Known: l.known, Epoch: l.Epoch, End: h.now + rapid.Int64Range(-500, 500).Draw(r, "end")}
	if rapid.IntRange(0, 4).Draw(r, "by token") == 0 {
		req.ID = -1
	}
	_, _ = same(r, h, func(b workerid.Backend) (struct{}, error) { return struct{}{}, b.Release(r.Context(), req) })
}

func (h *history) holders(r *rapid.T) {
	_, _ = same(r, h, func(b workerid.Backend) ([]workerid.Holder, error) {
		list, err := b.Holders(r.Context())
		slices.SortFunc(list, func(x, y workerid.Holder) int { return x.ID - y.ID })
		return list, err
	})
}

func (h *history) elapse(r *rapid.T) {
	h.now += rapid.Int64Range(0, 700).Draw(r, "time")
	h.tell()
}

// lose flushes the server, or has another one take over with the same data.
func (h *history) lose(r *rapid.T) {
	switch rapid.IntRange(0, 5).Draw(r, "loss") {
	case 0:
		h.ledger.Clear()
		h.sim.data = simData{}.clone()
		h.flush(r)
	case 1, 2:
		if h.plain {
			return
		}
		h.sim.repID = h.text()
		if h.client != nil {
			if err := h.client.Do(r.Context(), "debug", "change-repl-id").Err(); err != nil {
				r.Fatal(err)
			}
		}
	case 3:
		h.sim.blind = h.client == nil && !h.sim.blind
	}
	h.tell()
}
