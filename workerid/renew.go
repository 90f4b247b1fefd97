package workerid

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// retry spaces out renewals that failed: it is never long until the next one,
// since the window may be about to close when the server is back.
var retry = backoff.Policy{Base: 50 * time.Millisecond, Max: 250 * time.Millisecond, Jitter: 0.5}

// patience bounds one attempt at a renewal: a connection that has died should not
// hold up the next one.
func (o Options) patience() time.Duration {
	return min(o.OpTimeout, max(o.Renew/10, 250*time.Millisecond))
}

// keep renews the lease until it ends or life does. It is the one goroutine of a
// lease.
func (l *Lease) keep(life context.Context) {
	ctx, cancel := context.WithCancel(life)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	for failures := 0; l.rest(ctx, failures); {
		if err := l.renew(ctx); err != nil {
			failures++
		} else {
			failures = 0
		}
	}
}

// rest waits until the next renewal is due, and reports whether there is one.
func (l *Lease) rest(ctx context.Context, failures int) bool {
	timer := time.NewTimer(l.pause(failures))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.early:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// pause is the time until the next renewal.
func (l *Lease) pause(failures int) time.Duration {
	every := l.from.opts.Renew
	if failures > 0 {
		return min(retry.Delay(failures-1), every)
	}
	spread := 0.9 + 0.2*mathrand.Float64()
	l.mu.Lock()
	spare := l.tenure.spare(l.from.clock.read())
	l.mu.Unlock()
	return min(time.Duration(float64(every)*spread), max(millis(spare), 0))
}

// renew makes one attempt. Loss ends the lease; any other error leaves it to the
// next attempt.
func (l *Lease) renew(life context.Context) error {
	ctx, cancel := context.WithTimeout(life, l.from.opts.patience())
	defer cancel()
	l.mu.Lock()
	r := l.tenure.renew(l.from.clock.read(), rand.Text())
	l.mu.Unlock()
	sent := time.Now()
	g, err := l.from.backend.Renew(ctx, r)
	if life.Err() != nil {
		return err // the lease is being released, or its allocator closed
	}
	l.note(g, r.Nonce, sent, err)
	l.from.opts.Hooks.renewed(l, err)
	switch {
	case err == nil:
	case errors.Is(err, ErrLost), errors.Is(err, ErrConfigMismatch):
		l.from.opts.Logger.Error("worker number lost", slog.Int("id", l.id), slog.Any("error", err))
		l.finish(&OpError{Op: "renew", ID: l.id, Err: lost(err)})
	default:
		l.from.opts.Logger.Warn("worker number not renewed", slog.Int("id", l.id), slog.Any("error", err))
	}
	return err
}

// note keeps the outcome of the attempt that was sent at sent.
func (l *Lease) note(g Grant, nonce string, sent time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.status.Failures++
		l.status.Err = err
		return
	}
	l.status = Status{Renewed: sent, Offset: l.from.observe(g, sent)}
	l.tenure.renewed(g, nonce)
	if l.ctx.Err() == nil {
		l.slide()
	}
}

// lost makes any reason to end a lease an ErrLost.
func lost(err error) error {
	if errors.Is(err, ErrLost) {
		return err
	}
	return errors.Join(ErrLost, err)
}
