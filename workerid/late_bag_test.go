package workerid_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// A bag holds all requests that were ever sent. Each arrives at any time, any number
// of times, in any order, while numbers pass on and the server loses data. Whatever
// holders of a number may stamp must stay apart.
type bag struct {
	rng      *rand.Rand
	now      int64
	epoch    string
	began    int64 // when the epoch did
	lost     bool  // and nobody has noticed yet
	rush     int   // steps for old requests
	texts    int
	sim      *simRedis
	backend  workerid.Backend
	terms    workerid.Terms
	requests []func(answered bool)
	holders  []*bagHolder
	history  []simData
	log      []string
}

// bagHolder is one who asked for a number.
type bagHolder struct {
	*workerid.Node

	name    string
	attempt int // counts requests: an answer to an earlier one comes too late
	holding bool
	ended   bool
	used    int64 // end of what it has stamped, once it ended
}

// until is the end of what the holder may have stamped by now.
func (h *bagHolder) until() int64 {
	if h.ended {
		return h.used
	}
	return min(h.Granted().Mark, ((h.Stamp()+simAhead)/simTick+1)*simTick)
}

func (h *bagHolder) end() { h.used, h.holding, h.ended = h.until(), false, true }

func newBag(seed uint64, spoil func(string) string) *bag {
	b := &bag{rng: rand.New(rand.NewPCG(seed, 1)), now: 1_700_000_000_000}
	b.sim = newSimRedis(func() int64 { return b.now })
	b.sim.spoil = spoil
	opts := simOptions()
	opts.Count = 1
	var err error
	if b.terms, err = opts.Terms(); err != nil {
		panic(err)
	}
	return b
}

// run does so many steps and returns what went wrong, or nil.
func (b *bag) run(steps int) error {
	client := b.sim.client()
	defer client.Close()
	defer b.sim.state.Close()
	var err error
	if b.backend, err = workeridredis.NewBackend(client, workeridredis.Options{}); err != nil {
		return err
	}
	b.began = b.now
	for range steps {
		b.step()
		b.notice()
		if err := b.apart(); err != nil {
			return err
		}
	}
	return nil
}

func (b *bag) text(prefix string) string {
	b.texts++
	return fmt.Sprint(prefix, b.texts)
}

func (b *bag) notef(format string, args ...any) {
	b.log = append(b.log, fmt.Sprintf("%d ", b.now-1_700_000_000_000)+fmt.Sprintf(format, args...))
}

// step lets something happen. Right after a loss old requests arrive, and new holders
// come.
func (b *bag) step() {
	if b.rush > 0 {
		b.rush--
		if b.rng.IntN(4) == 0 {
			b.ask()
		} else {
			b.again(8)
		}
		return
	}
	switch b.rng.IntN(10) {
	case 0, 1:
		b.ask()
	case 2, 3:
		b.renew(b.pick(), false)
	case 4, 5:
		b.handOver()
	case 6, 7:
		b.now += b.rng.Int64N(150)
		if b.rng.IntN(6) == 0 {
			b.now += b.terms.TTL
		}
	default:
		b.again(len(b.requests))
	}
}

// again has one of the last so many requests arrive, once more or for the first time.
func (b *bag) again(of int) {
	if n := len(b.requests); n > 0 {
		b.requests[n-1-b.rng.IntN(min(n, of))](false)
	}
}

// handOver has a holder release, often with a renewal under way, another come, and
// sometimes the server lose data just then.
func (b *bag) handOver() {
	h := b.pick()
	if h == nil {
		return
	}
	if b.rng.IntN(2) == 0 {
		b.renew(h, true)
	}
	b.release(h)
	if b.rng.IntN(2) == 0 {
		b.ask()
		b.renew(b.pick(), false)
	}
	if b.rng.IntN(3) == 0 {
		b.lose()
	}
}

// send puts a request into the bag; most arrive at once, some are answered.
func (b *bag) send(request func(answered bool)) {
	b.requests = append(b.requests, request)
	if b.rng.IntN(4) > 0 {
		request(b.rng.IntN(4) > 0)
	}
}

func (b *bag) ask() {
	offset := b.rng.Int64N(simSkew) - simSkew/2
	born := b.now
	h := &bagHolder{name: b.text("holder")}
	h.Node = workerid.NewNode(b.terms,
		func() time.Time { return time.UnixMilli(b.now + offset) },
		func() time.Duration { return time.Duration(b.now-born) * time.Millisecond })
	req := h.Ask(h.name, b.text("nonce"), b.rng.Uint32())
	b.send(func(answered bool) {
		b.keep()
		g, err := b.backend.Acquire(b.ctx(), req)
		b.notef("%s acquires: %+v %v, answered: %v", h.name, g, err, answered)
		if answered && err == nil && !h.holding && !h.ended {
			h.Begin(g)
			h.holding = true
			b.holders = append(b.holders, h)
		}
	})
	if !h.holding && b.rng.IntN(2) == 0 { // gives up, and gives back what it may have got
		h.ended = true
		abandon := h.Release(0)
		abandon.ID = -1
		b.send(func(bool) {
			b.keep()
			b.notef("%s gives up: %v", h.name, b.backend.Release(b.ctx(), abandon))
		})
	}
}

// pick returns one who holds a number, or nil.
func (b *bag) pick() *bagHolder {
	var holding []*bagHolder
	for _, h := range b.holders {
		if h.holding {
			holding = append(holding, h)
		}
	}
	if len(holding) == 0 {
		return nil
	}
	return holding[b.rng.IntN(len(holding))]
}

// renew has a holder send a renewal, which may be held up.
func (b *bag) renew(h *bagHolder, late bool) {
	if h == nil {
		return
	}
	h.attempt++
	attempt, req := h.attempt, h.Renewal(b.text("nonce"))
	request := func(answered bool) {
		b.keep()
		g, err := b.backend.Renew(b.ctx(), req)
		b.notef("%s renews: %+v %v, answered: %v", h.name, g, err, answered)
		switch {
		case !answered || !h.holding || h.attempt != attempt:
		case errors.Is(err, workerid.ErrLost):
			h.end()
		case err == nil:
			h.Renewed(g, req)
		}
	}
	if late {
		b.requests = append(b.requests, request)
		return
	}
	b.send(request)
}

func (b *bag) release(h *bagHolder) {
	h.end()
	h.used = max(h.Granted().Start, (min(h.used, b.now)+simTick-1)/simTick*simTick)
	h.used = min(h.used, h.Granted().Mark)
	req := h.Release(h.used)
	b.send(func(bool) {
		b.keep()
		err := b.backend.Release(b.ctx(), req)
		b.notef("%s releases up to %d: %v", h.name, req.End, err)
	})
}

// keep remembers what the server has before it writes.
func (b *bag) keep() {
	b.history = append(b.history, b.sim.data.clone())
	if len(b.history) > 20 {
		b.history = b.history[1:]
	}
}

// lose has another server take over, with all of the data, with older data, or with
// none. Losses are two gaps apart.
func (b *bag) lose() {
	if b.lost || b.now < b.began+2*b.terms.Gap {
		return
	}
	switch b.rng.IntN(3) {
	case 0:
		b.notef("failover")
		b.sim.repID = b.text("rep")
		return
	case 1:
		b.sim.data = simData{}.clone()
	default:
		if len(b.history) > 0 {
			b.sim.data = b.history[b.rng.IntN(len(b.history))].clone()
		}
		b.sim.repID = b.text("rep")
	}
	b.notef("loss")
	b.epoch, b.lost, b.rush = b.current(), true, 6
}

// notice sees when an epoch begins: with the first round trip after a loss.
func (b *bag) notice() {
	if epoch := b.current(); epoch != b.epoch {
		b.epoch, b.began, b.lost = epoch, b.now, false
	}
}

// current is the epoch that the server knows.
func (b *bag) current() string {
	for _, h := range b.sim.data.hash {
		return h["epoch"]
	}
	return ""
}

func (*bag) ctx() context.Context { return context.Background() }

// apart reports holders of the number who may have stamped the same instant.
func (b *bag) apart() error {
	byStart := slices.Clone(b.holders)
	slices.SortStableFunc(byStart, func(x, y *bagHolder) int { return int(x.Granted().Start - y.Granted().Start) })
	for i, h := range byStart {
		for _, next := range byStart[i+1:] {
			if start := next.Granted().Start; start < h.until() && start < next.until() {
				return fmt.Errorf("%s may have stamped up to %d, %s from %d to %d\n%s",
					h.name, h.until(), next.name, start, next.until(), strings.Join(b.log, "\n"))
			}
		}
	}
	return nil
}

// TestLateRequests empties the bag in many ways.
func TestLateRequests(t *testing.T) {
	bags := uint64(40)
	if testenv.Long() {
		bags = 10_000
	}
	first := uint64(time.Now().UnixNano())
	for seed := first; seed < first+bags; seed++ {
		if err := newBag(seed, nil).run(150); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	t.Logf("%d bags from seed %d on", bags, first)
}

// TestLateRequestsMutant lowers a mark in any epoch, as the scripts once did: a
// release that comes again after a late renewal then opens the window of another
// holder. One bag in about a hundred shows it; the search begins near one.
func TestLateRequestsMutant(t *testing.T) {
	const careful, careless = "r.epoch == ARGV[14]", "true"
	spoiled := false
	for seed := uint64(60); seed < 1000; seed++ {
		err := newBag(seed, func(script string) string {
			changed := strings.Replace(script, careful, careless, 1)
			spoiled = spoiled || changed != script
			return changed
		}).run(150)
		if err != nil {
			t.Logf("bag %d: %.150s", seed, err)
			return
		}
	}
	t.Errorf("nothing went wrong; a script was changed: %v", spoiled)
}
