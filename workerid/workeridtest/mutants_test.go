package workeridtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/cohort-go/cohort/workerid"
)

// A mutant is a backend with one fault: a correct one behind functions that
// change what passes.
type mutant struct {
	caughtBy string // name of the promise that it breaks
	fault    string
	make     func(m *workerid.Memory) workerid.Backend
	alone    string // what it does without replicas: "acquire", "renew", or nothing
}

// altered is a backend of which some methods are replaced.
type altered struct {
	workerid.Backend

	acquire func(context.Context, workerid.AcquireRequest) (workerid.Grant, error)
	renew   func(context.Context, workerid.RenewRequest) (workerid.Grant, error)
	release func(context.Context, workerid.ReleaseRequest) error
	holders func(context.Context) ([]workerid.Holder, error)
}

func (a altered) Acquire(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
	if a.acquire != nil {
		return a.acquire(ctx, r)
	}
	return a.Backend.Acquire(ctx, r)
}

func (a altered) Renew(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
	if a.renew != nil {
		return a.renew(ctx, r)
	}
	return a.Backend.Renew(ctx, r)
}

func (a altered) Release(ctx context.Context, r workerid.ReleaseRequest) error {
	if a.release != nil {
		return a.release(ctx, r)
	}
	return a.Backend.Release(ctx, r)
}

func (a altered) Holders(ctx context.Context) ([]workerid.Holder, error) {
	if a.holders != nil {
		return a.holders(ctx)
	}
	return a.Backend.Holders(ctx)
}

// asking changes what Acquire is asked.
func asking(change func(r *workerid.AcquireRequest)) func(*workerid.Memory) workerid.Backend {
	return func(m *workerid.Memory) workerid.Backend {
		return altered{Backend: m, acquire: func(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
			change(&r)
			return m.Acquire(ctx, r)
		}}
	}
}

// answering changes what Acquire answers.
func answering(change func(r workerid.AcquireRequest, g *workerid.Grant, err error) error) func(*workerid.Memory) workerid.Backend {
	return func(m *workerid.Memory) workerid.Backend {
		return altered{Backend: m, acquire: func(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
			g, err := m.Acquire(ctx, r)
			err = change(r, &g, err)
			return g, err
		}}
	}
}

// renewingAs changes what Renew is asked.
func renewingAs(change func(r *workerid.RenewRequest)) func(*workerid.Memory) workerid.Backend {
	return func(m *workerid.Memory) workerid.Backend {
		return altered{Backend: m, renew: func(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
			change(&r)
			return m.Renew(ctx, r)
		}}
	}
}

// renewedAs changes what Renew answers.
func renewedAs(change func(r workerid.RenewRequest, g *workerid.Grant, err error) error) func(*workerid.Memory) workerid.Backend {
	return func(m *workerid.Memory) workerid.Backend {
		return altered{Backend: m, renew: func(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
			g, err := m.Renew(ctx, r)
			err = change(r, &g, err)
			return g, err
		}}
	}
}

// releasingAs changes what Release is asked and answers.
func releasingAs(change func(ctx context.Context, m *workerid.Memory, r workerid.ReleaseRequest) error) func(*workerid.Memory) workerid.Backend {
	return func(m *workerid.Memory) workerid.Backend {
		return altered{Backend: m, release: func(ctx context.Context, r workerid.ReleaseRequest) error { return change(ctx, m, r) }}
	}
}

var mutants = slices.Concat(grantMutants, successionMutants, renewalMutants, releaseMutants, lossMutants, delayMutants, copyMutants)

var grantMutants = []mutant{
	{caughtBy: "Exclusive", fault: "gives every second holder the first number", make: func(m *workerid.Memory) workerid.Backend {
		var mu sync.Mutex
		n := 0
		return altered{Backend: m, acquire: func(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
			g, err := m.Acquire(ctx, r)
			mu.Lock()
			defer mu.Unlock()
			if n++; n%2 == 0 {
				g.ID = 0
			}
			return g, err
		}}
	}},
	{caughtBy: "Exclusive", fault: "reports a full range too early", make: answering(func(_ workerid.AcquireRequest, g *workerid.Grant, err error) error {
		if g.ID == 7 {
			return &workerid.ExhaustedError{}
		}
		return err
	})},
	{caughtBy: "FullRange", fault: "does not say who holds the numbers", make: answering(func(_ workerid.AcquireRequest, _ *workerid.Grant, err error) error {
		if errors.Is(err, workerid.ErrExhausted) {
			return workerid.ErrExhausted
		}
		return err
	})},
	{caughtBy: "FullRange", fault: "names the last expiry", make: answering(func(_ workerid.AcquireRequest, _ *workerid.Grant, err error) error {
		if full, ok := errors.AsType[*workerid.ExhaustedError](err); ok {
			full.FirstExpiry = full.Holders[len(full.Holders)-1].Expires
		}
		return err
	})},
	{caughtBy: "SameToken", fault: "takes each request for a new holder", make: asking(func(r *workerid.AcquireRequest) { r.Token += r.Nonce })},
	{caughtBy: "Zero", fault: "takes number 0 for none", make: releasingAs(func(ctx context.Context, m *workerid.Memory, r workerid.ReleaseRequest) error {
		if r.ID == 0 {
			return nil
		}
		return m.Release(ctx, r)
	})},
	{caughtBy: "Preferred", fault: "ignores the preference", make: asking(func(r *workerid.AcquireRequest) { r.Preferred = -1 })},
	{caughtBy: "Preferred", fault: "gives the preferred number even if it is held", make: answering(func(r workerid.AcquireRequest, g *workerid.Grant, err error) error {
		if r.Preferred >= 0 {
			g.ID = r.Preferred
		}
		return err
	})},
	{caughtBy: "Configuration", fault: "does not look at the configuration", make: asking(func(r *workerid.AcquireRequest) { r.Terms.Fingerprint = "" })},
	{caughtBy: "Configuration", fault: "lets holders of another configuration renew", make: func(m *workerid.Memory) workerid.Backend {
		fingerprint := ""
		return altered{
			Backend: m,
			acquire: func(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
				fingerprint = cmp.Or(fingerprint, r.Terms.Fingerprint)
				return m.Acquire(ctx, r)
			},
			renew: func(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
				r.Terms.Fingerprint = fingerprint
				return m.Renew(ctx, r)
			},
		}
	}},
	{caughtBy: "ClockAhead", fault: "refuses only after it has written", make: func(m *workerid.Memory) workerid.Backend {
		return altered{Backend: m, acquire: func(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
			if limit := wall() + workerid.Poisoned.Milliseconds(); r.Wall > limit {
				r.Wall = limit - 1000
				g, err := m.Acquire(ctx, r)
				_ = m.Release(ctx, workerid.ReleaseRequest{Terms: r.Terms, ID: g.ID, Token: r.Token, Known: []string{r.Nonce}, End: g.Mark})
				return workerid.Grant{}, errors.Join(workerid.ErrClockAhead, err)
			}
			return m.Acquire(ctx, r)
		}}
	}},
	{caughtBy: "Holders", fault: "lists leases that ended", make: func(m *workerid.Memory) workerid.Backend {
		seen := make(map[int]workerid.Holder)
		return altered{
			Backend: m,
			acquire: func(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
				g, err := m.Acquire(ctx, r)
				seen[g.ID] = workerid.Holder{ID: g.ID, Holder: r.Holder}
				return g, err
			},
			holders: func(context.Context) ([]workerid.Holder, error) {
				list := make([]workerid.Holder, 0, len(seen))
				for _, h := range seen {
					list = append(list, h)
				}
				return list, nil
			},
		}
	}},
}

var successionMutants = []mutant{
	{caughtBy: "Successor", fault: "trusts the holder's clock", make: answering(func(r workerid.AcquireRequest, g *workerid.Grant, err error) error {
		g.Start = r.Wall
		return err
	})},
	{caughtBy: "NotYet", fault: "ends leases after half their time", make: func(m *workerid.Memory) workerid.Backend {
		return altered{
			Backend: m,
			acquire: func(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
				full := r.Terms.TTL
				r.Terms.TTL /= 2
				g, err := m.Acquire(ctx, r)
				g.Expires = g.Time + full
				return g, err
			},
		}
	}},
	{caughtBy: "NotYet", fault: "does not extend a lease", make: func(m *workerid.Memory) workerid.Backend {
		return altered{Backend: m, renew: func(_ context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
			now := wall()
			return workerid.Grant{ID: r.ID, Mark: r.Want, Expires: now + r.Terms.TTL, Time: now}, nil
		}}
	}},
	{caughtBy: "Taken", fault: "lets the old holder renew", make: renewedAs(func(r workerid.RenewRequest, g *workerid.Grant, err error) error {
		if errors.Is(err, workerid.ErrLost) {
			*g = workerid.Grant{ID: r.ID, Mark: r.Want, Expires: r.Until + r.Terms.TTL}
			return nil
		}
		return err
	})},
	{caughtBy: "Oldest", fault: "gives the lowest free number", make: asking(func(r *workerid.AcquireRequest) { r.Preferred = 0 })},
	{caughtBy: "Generation", fault: "does not count", make: answering(func(_ workerid.AcquireRequest, g *workerid.Grant, err error) error {
		g.Generation = min(g.Generation, 1)
		return err
	})},
	{caughtBy: "Poisoned", fault: "accepts any mark", make: func(m *workerid.Memory) workerid.Backend {
		return altered{Backend: m, renew: func(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
			r.Want = min(r.Want, wall()+r.Terms.Reach)
			return m.Renew(ctx, r)
		}}
	}},
}

var renewalMutants = []mutant{
	{caughtBy: "MarkGrows", fault: "takes the mark that is asked for", make: renewedAs(func(r workerid.RenewRequest, g *workerid.Grant, err error) error {
		g.Mark = r.Want
		return err
	})},
	{caughtBy: "MarkGrows", fault: "leaves the mark where it was", make: renewingAs(func(r *workerid.RenewRequest) { r.Want = 0 })},
	{caughtBy: "MarkKept", fault: "answers with a mark that it did not write", make: func(m *workerid.Memory) workerid.Backend {
		return altered{Backend: m, renew: func(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
			want := r.Want
			r.Want = 0
			g, err := m.Renew(ctx, r)
			g.Mark = max(g.Mark, want)
			return g, err
		}}
	}},
	{caughtBy: "LostReply", fault: "knows only the last nonce", make: renewingAs(func(r *workerid.RenewRequest) { r.Known = r.Known[:1] })},
	{caughtBy: "LostReply", fault: "refuses a repetition", make: func(m *workerid.Memory) workerid.Backend {
		seen := make(map[string]bool)
		return altered{Backend: m, renew: func(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
			if seen[r.Nonce] {
				return workerid.Grant{}, workerid.ErrLost
			}
			seen[r.Nonce] = true
			return m.Renew(ctx, r)
		}}
	}},
	{caughtBy: "Copy", fault: "does not look at nonces", make: func(m *workerid.Memory) workerid.Backend {
		var all []string
		return altered{
			Backend: m,
			renew: func(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
				all = append(all, r.Nonce)
				r.Known = slices.Concat(r.Known, all)
				return m.Renew(ctx, r)
			},
		}
	}},
	{caughtBy: "Late", fault: "ends a lease by the clock alone", make: func(m *workerid.Memory) workerid.Backend {
		return altered{Backend: m, renew: func(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
			if wall() > r.Until {
				return workerid.Grant{}, workerid.ErrLost
			}
			return m.Renew(ctx, r)
		}}
	}},
}

var releaseMutants = []mutant{
	{caughtBy: "MarkLowered", fault: "keeps the mark", make: releasingAs(func(ctx context.Context, m *workerid.Memory, r workerid.ReleaseRequest) error {
		r.End = math.MaxInt64
		return m.Release(ctx, r)
	})},
	{caughtBy: "MarkNotRaised", fault: "takes the end as the mark", make: func(m *workerid.Memory) workerid.Backend {
		var end int64
		return altered{
			Backend: m,
			acquire: func(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
				g, err := m.Acquire(ctx, r)
				g.Start = max(g.Start, end)
				return g, err
			},
			release: func(ctx context.Context, r workerid.ReleaseRequest) error {
				end = r.End
				return m.Release(ctx, r)
			},
		}
	}},
	{caughtBy: "ReleaseTwice", fault: "refuses the second release", make: func(m *workerid.Memory) workerid.Backend {
		released := make(map[string]bool)
		return altered{Backend: m, release: func(ctx context.Context, r workerid.ReleaseRequest) error {
			if released[r.Token] {
				return workerid.ErrLost
			}
			released[r.Token] = true
			return m.Release(ctx, r)
		}}
	}},
	{caughtBy: "ReleaseByToken", fault: "needs the number", make: releasingAs(func(ctx context.Context, m *workerid.Memory, r workerid.ReleaseRequest) error {
		if r.ID < 0 {
			return nil
		}
		return m.Release(ctx, r)
	})},
	{caughtBy: "ReleaseForeign", fault: "looks at the number only", make: func(m *workerid.Memory) workerid.Backend {
		owner := make(map[int]workerid.AcquireRequest)
		return altered{
			Backend: m,
			acquire: func(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
				g, err := m.Acquire(ctx, r)
				if err == nil {
					owner[g.ID] = r
				}
				return g, err
			},
			release: func(ctx context.Context, r workerid.ReleaseRequest) error {
				r.Token, r.Known = owner[r.ID].Token, []string{owner[r.ID].Nonce}
				return m.Release(ctx, r)
			},
		}
	}},
}

var lossMutants = []mutant{
	{caughtBy: "Fresh", fault: "keeps the gap where there is no history", make: asking(func(r *workerid.AcquireRequest) { r.Fresh = false })},
	{caughtBy: "FreshOnce", fault: "believes everyone who says that there is no history", make: answering(func(r workerid.AcquireRequest, g *workerid.Grant, err error) error {
		if r.Fresh {
			g.Start = r.Wall
		}
		return err
	})},
	{caughtBy: "Gap", fault: "begins at the clock after a loss", make: asking(func(r *workerid.AcquireRequest) { r.Fresh = true })},
	{caughtBy: "Gap", fault: "begins far in the future after a loss", make: answering(func(r workerid.AcquireRequest, g *workerid.Grant, err error) error {
		g.Start += 10 * r.Terms.Gap
		return err
	})},
	{caughtBy: "GapEnds", fault: "keeps the gap for good", make: answering(func(r workerid.AcquireRequest, g *workerid.Grant, err error) error {
		g.Start = max(g.Start, g.Time+r.Terms.Gap)
		return err
	})},
	{caughtBy: "Revived", fault: "refuses whoever it does not know", make: renewingAs(func(r *workerid.RenewRequest) { r.Until = 0 })},
	{caughtBy: "RevivedMark", fault: "forgets what the holder was promised", make: renewingAs(func(r *workerid.RenewRequest) { r.Mark = 0 })},
	{caughtBy: "TooLate", fault: "revives at any time", make: renewingAs(func(r *workerid.RenewRequest) { r.Until = math.MaxInt64 / 2 })},
	{caughtBy: "TooLate", fault: "revives up to the end of the lease", make: renewingAs(func(r *workerid.RenewRequest) { r.Until += 2 * r.Terms.Skew })},
	{caughtBy: "Replaced", fault: "revives a holder over another", make: renewedAs(func(r workerid.RenewRequest, g *workerid.Grant, err error) error {
		if errors.Is(err, workerid.ErrLost) {
			*g = workerid.Grant{ID: r.ID, Mark: r.Mark}
			return nil
		}
		return err
	})},
}

// String names the mutant.
func (m mutant) String() string { return fmt.Sprintf("a backend that %s", m.fault) }
