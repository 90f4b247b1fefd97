package redisstream

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/rediserr"
)

// Entries per page: small at first, then so many that a page has about
// pageBytes.
const (
	firstPage = 64
	maxPage   = 1024
	pageBytes = 1 << 20
)

// pageTimeout bounds a question that brings a page of a repair.
const pageTimeout = 5 * time.Second

// questions asks for the state of the log when pushes leave a hole, and from
// time to time. It runs until Close.
func (r *Reader) questions(ctx context.Context) {
	count, failures := firstPage, 0
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			if wait := r.notYet(); wait > 0 {
				timer.Reset(wait)
				continue
			}
		case <-r.kick:
		}
		again, next, err := r.ask(ctx, count)
		count = next
		switch {
		case err != nil:
			failures++
			timer.Reset(min(r.retry.Delay(failures-1), r.opts.AuditIdle))
			continue
		case again:
			r.Audit()
		}
		failures = 0
		timer.Reset(r.opts.AuditIdle)
	}
}

// notYet returns the time until the next audit, which pushes put off.
func (r *Reader) notYet() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seq.asking || r.failure != nil {
		return 0
	}
	quiet := time.Until(r.pushAt.Add(r.opts.AuditIdle))
	due := time.Until(r.askedAt.Add(r.opts.AuditBusy))
	return max(min(quiet, due), 0)
}

// ask sends one question. It reports whether to ask again at once, and for how
// many entries.
func (r *Reader) ask(ctx context.Context, count int) (again bool, next int, err error) {
	asked := time.Now()
	limit := r.opts.AuditTimeout
	r.mu.Lock()
	q := r.seq.question(count)
	if r.seq.asking {
		limit = pageTimeout
		if !r.opts.Tail {
			r.repairs.Add(1)
		}
	}
	r.askedAt = asked
	r.mu.Unlock()

	call, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	st, err := r.stream.ask(call, r.client, q, r.opts.Member, r.opts.MemberTTL)
	if err != nil {
		r.fail(err)
		return false, firstPage, err
	}
	if r.accept(q, asked, st) {
		return true, nextCount(st.page), nil
	}
	return false, firstPage, nil
}

// accept takes in an answer and reports whether to ask again at once.
func (r *Reader) accept(q question, asked time.Time, st state) (again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failure = nil
	if st.run != r.run {
		r.run = st.run
		r.leaveFeed()
		r.events.Server(st.run)
	}
	if st.away && r.seq.started && st.base == r.seq.cur.Base { // a Reset says enough
		r.events.Absent()
	}
	again = r.seq.answer(q, st)
	r.foreign.Store(r.seq.foreign)
	if again {
		return true
	}
	r.expectPush(asked, st.n)
	if !r.started() {
		close(r.ready)
	}
	r.events.Fresh(asked, r.seq.cur)
	select {
	case r.inStep <- struct{}{}:
	default:
	}
	return false
}

// nextCount is the size of the next page after one that did not reach the end.
func nextCount(page []Entry) int {
	size := 1
	for _, e := range page {
		size += len(e.Data)
	}
	return min(max(pageBytes*len(page)/size, 1), maxPage)
}

// fail tells that the reader is cut off, for now.
func (r *Reader) fail(cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life.Context().Err() != nil {
		return
	}
	r.failure = cause
	if denied(cause) && !r.started() {
		select {
		case r.denied <- cause:
		default:
		}
	}
	r.events.Stale(cause)
}

// denied reports a refusal by the server that no retry cures.
func denied(err error) bool {
	_, reply := errors.AsType[redis.Error](err)
	return reply && !rediserr.Retryable(err)
}
