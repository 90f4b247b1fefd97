package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cohort-go/cohort/lock"
)

// count adds to a number in the ledger, under a lock.
func count(ctx context.Context, l *life, j *journal, quiet func()) {
	defer quiet()
	books := ledgerAt(l.store, l.name)
	l.until(ctx, time.Millisecond, func(ctx context.Context) {
		lease, err := l.node.Locker().Acquire(ctx, "account", lock.Request{TTL: time.Second})
		if err != nil {
			if !errors.Is(err, lock.ErrHeld) {
				j.failed(err)
			}
			return
		}
		addOne(lease, books, j)
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := lease.Release(free); err == nil {
			j.done()
		} else {
			j.failed(err)
		}
	})
}

// addOne reads and writes the ledger, with a pause between, as a holder does that
// believes in its lease.
func addOne(lease *lock.Lease, books ledgerClient, j *journal) {
	start := time.Now()
	value, err := books.open(lease.Fence(), lease.Token())
	if err == nil {
		time.Sleep(rand.N(5 * time.Millisecond))
		err = books.write(lease.Fence(), value+1)
	}
	if err == nil || time.Since(start) > 200*time.Millisecond {
		return // a process that was stopped may be late; the fence is there for that
	}
	// refused, or the ledger did not answer: was it ours all the time?
	time.Sleep(50 * time.Millisecond)
	if errors.Is(err, errStale) && lease.Context().Err() == nil {
		j.note("overtaken", lease.Fence())
	}
}

// judgeLock compares what the ledger saw with what holders believed.
func judgeLock(c *course) {
	value, written, stale, twice := c.ledger.sums()
	overtaken, sections := 0, 0
	for _, r := range read(c, c.dir, "lock") {
		switch r.words[0] {
		case "overtaken":
			overtaken++
		case "ok":
			sections++
		}
	}
	c.figure("%d sections, %d late writes refused, %d accepted, %d lost updates, two holders %d",
		written, stale, twice, written-value, overtaken)
	if value != written || twice > 0 || overtaken > 0 && !c.forgets || sections == 0 {
		c.Errorf("lock: value %d after %d writes, fences given twice %d, holders overtaken %d, sections %d",
			value, written, twice, overtaken, sections)
	}
}
