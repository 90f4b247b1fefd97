package workeridtest

import (
	"context"

	"github.com/cohort-go/cohort/workerid"
)

var delayMutants = []mutant{
	{caughtBy: "LateRelease", fault: "lowers a mark in any epoch", make: func(m *workerid.Memory) workerid.Backend {
		epoch := ""
		note := func(g workerid.Grant, err error) (workerid.Grant, error) {
			epoch = g.Epoch
			return g, err
		}
		return altered{
			Backend: m,
			acquire: func(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
				return note(m.Acquire(ctx, r))
			},
			renew: func(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
				return note(m.Renew(ctx, r))
			},
			release: func(ctx context.Context, r workerid.ReleaseRequest) error {
				r.Epoch = epoch
				return m.Release(ctx, r)
			},
		}
	}},
	{caughtBy: "LateRenewal", fault: "revives with the mark of the request alone", make: func(m *workerid.Memory) workerid.Backend {
		var latest int64
		return altered{
			Backend: m,
			acquire: func(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
				g, err := m.Acquire(ctx, r)
				if latest > 0 {
					g.Start = max(r.Wall, latest)
				}
				return g, err
			},
			renew: func(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
				latest = max(r.Want, r.Mark)
				return m.Renew(ctx, r)
			},
		}
	}},
	{caughtBy: "LateAcquire", fault: "knows a holder by its token alone", make: byToken},
	{caughtBy: "LateAfterLoss", fault: "knows a holder by its token alone", make: byToken},
	{caughtBy: "LateFresh", fault: "believes a request that there is no history, however old it is", make: asking(func(r *workerid.AcquireRequest) {
		if r.Fresh {
			r.Wall = wall()
		}
	})},
}

// byToken takes whoever has the token of a grant for its holder.
func byToken(m *workerid.Memory) workerid.Backend {
	last := make(map[string]workerid.Grant)
	return altered{
		Backend: m,
		acquire: func(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
			g, err := m.Acquire(ctx, r)
			last[r.Token] = g
			return g, err
		},
		renew: func(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
			r.Generation, r.Start = last[r.Token].Generation, last[r.Token].Start
			return m.Renew(ctx, r)
		},
	}
}
