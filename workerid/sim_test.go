package workerid_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// The size of simulated clusters, in milliseconds: small, so that much happens.
const (
	simNumbers = 4
	simNodes   = 6
	simTTL     = 600
	simRenew   = 200
	simSkew    = 40
	simAhead   = 50
	simTime    = 20_000
)

func simOptions() workerid.Options {
	return workerid.Options{
		Count: simNumbers, TTL: simTTL * time.Millisecond, Renew: simRenew * time.Millisecond,
		Horizon: 450 * time.Millisecond, Skew: simSkew * time.Millisecond,
		MaxTick: simTick * time.Millisecond, MaxAhead: simAhead * time.Millisecond,
	}
}

func (*process) ctx() context.Context { return context.Background() }

// TestSimulation compares this package's leases with a plain lease and with a
// random number. COHORT_SIM_SEED repeats one world.
func TestSimulation(t *testing.T) {
	seeds := 5
	if testenv.Long() {
		seeds = 300
	}
	first, only := uint64(1), os.Getenv("COHORT_SIM_SEED")
	if only != "" {
		seeds = 1
		first, _ = strconv.ParseUint(only, 10, 64)
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%-44s %14s %14s %14s\n", "duplicates among all IDs", "random number", "plain lease", "this package")
	for _, f := range []faults{
		{name: "nothing goes wrong"},
		{name: "clocks anywhere, and stepping", clocks: true},
		{name: "stops, suspends, cuts, late replies, deaths", stops: true},
		{name: "all of these", clocks: true, stops: true},
		{name: "stops and so on, and the server loses data", stops: true, losses: true},
	} {
		fmt.Fprintf(&table, "%-44s", f.name)
		for _, kind := range []string{"random", "plain", "leased"} {
			duplicates, ids := 0, 0
			for seed := first; seed < first+uint64(seeds); seed++ {
				w := &world{faults: f}
				if only != "" && kind == "leased" {
					w.trace = t.Logf
				}
				w.simulate(kind, seed)
				duplicates += w.duplicates
				ids += len(w.issued)
				if kind == "leased" && w.duplicates > 0 {
					t.Errorf("seed %d, %s: %d duplicates among %d IDs", seed, f.name, w.duplicates, len(w.issued))
				}
				if len(w.issued) < 1000 {
					t.Errorf("seed %d, %s, %s: only %d IDs", seed, f.name, kind, len(w.issued))
				}
			}
			fmt.Fprintf(&table, " %14s", fmt.Sprintf("%.2f %%", 100*float64(duplicates)/float64(duplicates+ids)))
		}
		table.WriteString("\n")
	}
	t.Logf("%d worlds of %d nodes for %d numbers, from seed %d on\n%s", seeds, simNodes, simNumbers, first, table.String())
}

// simulate runs a world in which numbers come about as kind says.
func (w *world) simulate(kind string, seed uint64) {
	w.rng, w.now = rand.New(rand.NewPCG(seed, 0)), 1_700_000_000_000
	w.nodes, w.issued, w.cut = make([]*process, simNodes), make(map[stamp]int), make(map[*process]int64)
	redisOffset := w.between(-simSkew/2, simSkew/2)
	server := newSimRedis(func() int64 { return w.now + redisOffset })
	defer server.state.Close()
	client := server.client()
	defer client.Close()
	opts := simOptions()
	terms, err := opts.Terms()
	if err != nil {
		panic(err)
	}
	plain := &expiringServer{w: w, token: make(map[int]string), until: make(map[int]int64)}
	backend, err := workeridredis.NewBackend(client, workeridredis.Options{})
	if err != nil {
		panic(err)
	}
	w.policy = func(p *process) policy {
		switch kind {
		case "random":
			return &guessed{p: p}
		case "plain":
			return &expiring{p: p, server: plain}
		}
		return &leased{p: p, backend: backend, terms: terms}
	}
	for slot := range w.nodes {
		w.after(w.between(0, 300), func() { w.start(slot) })
	}
	w.after(500, w.trouble)
	if w.faults.losses {
		s := &losses{w: w, redis: server, plain: plain, gap: terms.Gap}
		w.after(2*terms.Gap+w.between(400, 3000), s.lose)
		w.after(0, s.record)
	}
	w.run(simTime)
}
