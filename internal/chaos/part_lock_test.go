package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
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
	value, err := books.open(lease.Fence(), lease.Token())
	if err == nil {
		time.Sleep(rand.N(5 * time.Millisecond))
		err = books.write(lease.Fence(), value+1)
	}
	now := time.Now()
	if !errors.Is(err, errStale) {
		return
	}
	// Refused: right if the lease is over by the clock of this process, which was
	// stopped. Then it has also been told, as soon as it gets to it.
	if late := now.Sub(lease.Deadline()); late < 0 {
		j.note("overtaken", lease.Fence(), "before its deadline by", -late)
		return
	}
	select {
	case <-lease.Context().Done():
	case <-time.After(5 * time.Second):
		j.note("overtaken", lease.Fence(), "and never told")
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
			c.Logf("%s: %s", r.node, strings.Join(r.words, " "))
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
