package workeridtest

import (
	"context"

	"github.com/cohort-go/cohort/workerid"
)

// copying is a backend whose writes need replicas, but for those that it does alone.
type copying struct {
	workerid.Backend

	alone    string
	isolated *bool
}

func (c copying) Acquire(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
	g, err := c.Backend.Acquire(ctx, r)
	if err == nil && *c.isolated && c.alone != "acquire" {
		err = workerid.ErrNotReplicated
	}
	return g, err
}

func (c copying) Renew(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
	g, err := c.Backend.Renew(ctx, r)
	if err == nil && *c.isolated && c.alone != "renew" {
		err = workerid.ErrNotReplicated
	}
	return g, err
}

func correct(m *workerid.Memory) workerid.Backend { return m }

var copyMutants = []mutant{
	{caughtBy: "CopiedGrant", fault: "relies on a grant that nobody copied", make: correct, alone: "acquire"},
	{caughtBy: "CopiedGrant", fault: "needs the number for giving back", make: func(m *workerid.Memory) workerid.Backend {
		return altered{Backend: m, release: func(ctx context.Context, r workerid.ReleaseRequest) error {
			if r.ID < 0 {
				return nil
			}
			return m.Release(ctx, r)
		}}
	}},
	{caughtBy: "CopiedRenewal", fault: "relies on a renewal that nobody copied", make: correct, alone: "renew"},
	{caughtBy: "CopiedRenewal", fault: "knows only the nonce that was answered", make: renewingAs(func(r *workerid.RenewRequest) { r.Known = r.Known[:1] })},
}
