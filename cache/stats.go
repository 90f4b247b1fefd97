package cache

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Stats counts what a [Cache] did since it was made.
type Stats struct {
	L1Hits uint64 // answers from the process
	L2Hits uint64 // answers from the Store
	Misses uint64 // neither had a fresh value
	Stale  uint64 // answers that had expired

	Loads      uint64        // runs of a loader
	LoadErrors uint64        // … that failed, ErrNotFound aside
	LoadTime   time.Duration // … together
	Refused    uint64        // loaded values not kept: invalidated meanwhile

	Invalidations uint64 // local copies dropped because of a change
	Resets        uint64 // times that all were dropped
	Evictions     uint64 // local copies dropped for room
	Bypasses      uint64 // local copies not used because the line was not fresh
	Corrupt       uint64 // entries that could not be decoded
	Unavailable   uint64 // reads that found the Store away

	L1Entries int
}

type counter int

const (
	l1Hits counter = iota
	l2Hits
	misses
	staleHits
	loads
	loadErrors
	loadTime
	refused
	invalidations
	resets
	evictions
	bypasses
	corrupt
	unavailable
	numCounters
)

// counters are spread over some cache lines, so that hits on many CPUs do not
// meet on one of them.
type counters [8]struct {
	n [numCounters]atomic.Uint64
	_ [128 - numCounters*8%128]byte
}

func (c *counters) add(which counter, n uint64) {
	c[rand.Uint32()%uint32(len(c))].n[which].Add(n)
}

// hit counts one at time now, whose last bits are chance enough.
func (c *counters) hit(now int64) { c[uint64(now)>>3%uint64(len(c))].n[l1Hits].Add(1) }

func (c *counters) sum(which counter) (total uint64) {
	for i := range c {
		total += c[i].n[which].Load()
	}
	return total
}

func (c *counters) snapshot() Stats {
	return Stats{
		L1Hits: c.sum(l1Hits), L2Hits: c.sum(l2Hits), Misses: c.sum(misses), Stale: c.sum(staleHits),
		Loads: c.sum(loads), LoadErrors: c.sum(loadErrors), LoadTime: time.Duration(c.sum(loadTime)),
		Refused: c.sum(refused), Invalidations: c.sum(invalidations), Resets: c.sum(resets),
		Evictions: c.sum(evictions), Bypasses: c.sum(bypasses), Corrupt: c.sum(corrupt),
		Unavailable: c.sum(unavailable),
	}
}
