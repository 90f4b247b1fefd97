package workeridtest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

// options are small, so that leases end soon in real time too.
func options(count int) workerid.Options {
	return workerid.Options{
		Count: count, TTL: 400 * time.Millisecond, Horizon: 250 * time.Millisecond, Renew: 100 * time.Millisecond,
		MaxTick: 10 * time.Millisecond, MaxAhead: 10 * time.Millisecond, Skew: 20 * time.Millisecond,
	}
}

// A pool is the numbers of one case, and those who ask for them.
type pool struct {
	T
	Server

	terms workerid.Terms
	texts atomic.Int64
}

func newPool(t T, s Server, count int) *pool {
	t.Helper()
	terms, err := options(count).Terms()
	if err != nil {
		t.Fatalf("options: %v", err)
	}
	return &pool{T: t, Server: s, terms: terms}
}

// text returns another word each time, for tokens and nonces.
func (p *pool) text(prefix string) string { return fmt.Sprintf("%s%d", prefix, p.texts.Add(1)) }

func wall() int64 { return time.Now().UnixMilli() }

// A holder is one who asks for a number, with what it was granted last.
type holder struct {
	workerid.Grant

	p     *pool
	token string
	known []string
}

// request is an Acquire by a new holder in a namespace without history.
func (p *pool) request() workerid.AcquireRequest {
	token := p.text("holder")
	return workerid.AcquireRequest{
		Terms: p.terms, Token: token, Nonce: p.text("nonce"), Wall: wall(),
		Preferred: -1, Fresh: true, Holder: token,
	}
}

// try sends r.
func (p *pool) try(r workerid.AcquireRequest) (*holder, error) {
	g, err := p.Backend.Acquire(p.Context(), r)
	return &holder{p: p, Grant: g, token: r.Token, known: []string{r.Nonce}}, err
}

// acquire sends r, or a plain request, which must be granted.
func (p *pool) acquire(rs ...workerid.AcquireRequest) *holder {
	p.Helper()
	r := p.request()
	if len(rs) > 0 {
		r = rs[0]
	}
	h, err := p.try(r)
	if err != nil {
		p.Fatalf("acquire: %v", err)
	}
	return h
}

// refused sends r, or a plain request, which must fail with want.
func (p *pool) refused(want error, rs ...workerid.AcquireRequest) error {
	p.Helper()
	r := p.request()
	if len(rs) > 0 {
		r = rs[0]
	}
	h, err := p.try(r)
	if !errors.Is(err, want) {
		p.Fatalf("acquire: number %d and error %v, want error %q", h.ID, err, want)
	}
	return err
}

// renewal is the holder's next Renew.
func (h *holder) renewal(want int64) workerid.RenewRequest {
	return workerid.RenewRequest{
		Terms: h.p.terms, ID: h.ID, Token: h.token, Known: h.known, Nonce: h.p.text("nonce"),
		Want: want, Generation: h.Generation, Start: h.Start, Mark: h.Mark, Until: h.Expires, Holder: h.token,
	}
}

// tryRenew sends a renewal and takes the answer.
func (h *holder) tryRenew(want int64) error {
	r := h.renewal(want)
	g, err := h.p.Backend.Renew(h.p.Context(), r)
	if err == nil {
		h.Grant, h.known = g, []string{r.Nonce}
	}
	return err
}

// renew sends a renewal, which must be granted.
func (h *holder) renew(want int64) {
	h.p.Helper()
	if err := h.tryRenew(want); err != nil {
		h.p.Fatalf("renew %d: %v", h.ID, err)
	}
}

// lost sends a renewal, which must be refused.
func (h *holder) lost(why string) {
	h.p.Helper()
	if err := h.tryRenew(wall()); !errors.Is(err, workerid.ErrLost) {
		h.p.Fatalf("renew %d %s: %v, want ErrLost", h.ID, why, err)
	}
}

func (h *holder) tryRelease(end int64) error {
	return h.p.Backend.Release(h.p.Context(), workerid.ReleaseRequest{
		Terms: h.p.terms, ID: h.ID, Token: h.token, Known: h.known, Epoch: h.Epoch, End: end,
	})
}

// release gives the number back, with a mark at end.
func (h *holder) release(end int64) {
	h.p.Helper()
	if err := h.tryRelease(end); err != nil {
		h.p.Fatalf("release %d: %v", h.ID, err)
	}
}

// expire lets more time pass than a lease lasts.
func (p *pool) expire() { p.Elapse(time.Duration(p.terms.TTL+50) * time.Millisecond) }
