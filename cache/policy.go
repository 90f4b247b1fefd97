package cache

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Policy says how a typed cache keeps and loads values. Only TTL is required.
type Policy struct {
	// TTL is how long a value is fresh: at least a millisecond, or Forever.
	TTL time.Duration
	// Jitter, in [0, 1), is the part of TTL that chance may take off, so that
	// values loaded together do not expire together.
	Jitter float64
	// StaleFor is how long after it expired a value is still returned at once
	// while it is loaded anew behind the scenes.
	StaleFor time.Duration
	// FailSafe is how long after it expired a value is still returned when its
	// loader fails or exceeds SoftTimeout.
	FailSafe time.Duration
	// RefreshAhead, in (0, 1), is the part of TTL after which a read starts a
	// load behind the scenes although the value is fresh. 0 means never.
	RefreshAhead float64
	// SoftTimeout is how long a caller waits for a load before it gets the
	// expired value that FailSafe kept; the load goes on. 0 means no limit.
	SoftTimeout time.Duration
	// HardTimeout bounds a run of the loader, and how long other nodes wait for a
	// node that died while loading. Default 30 s, at most a day.
	HardTimeout time.Duration
	// NegativeTTL is how long it is remembered that the loader reported
	// ErrNotFound. 0 means not at all.
	NegativeTTL time.Duration
	// Tags are added to every value.
	Tags []string
}

const maxHardTimeout = 24 * time.Hour

func (p Policy) withDefaults() (Policy, error) {
	setDefault(&p.HardTimeout, 30*time.Second)
	var errs []error
	if p.TTL < time.Millisecond {
		errs = append(errs, fmt.Errorf("TTL is %v, want at least 1ms, or Forever", p.TTL))
	}
	if p.Jitter < 0 || p.Jitter >= 1 {
		errs = append(errs, fmt.Errorf("Jitter is %v, want 0 or more and less than 1", p.Jitter))
	}
	if p.RefreshAhead < 0 || p.RefreshAhead >= 1 {
		errs = append(errs, fmt.Errorf("RefreshAhead is %v, want 0 or more and less than 1", p.RefreshAhead))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"StaleFor", p.StaleFor}, {"FailSafe", p.FailSafe}, {"SoftTimeout", p.SoftTimeout},
		{"HardTimeout", p.HardTimeout}, {"NegativeTTL", p.NegativeTTL},
	} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("%s is %v, want 0 or more", d.name, d.value))
		}
	}
	if p.HardTimeout > maxHardTimeout {
		errs = append(errs, fmt.Errorf("HardTimeout is %v, want at most %v", p.HardTimeout, maxHardTimeout))
	}
	for _, t := range p.Tags {
		if err := checkTag(t); err != nil {
			errs = append(errs, err)
		}
	}
	return p, errors.Join(errs...)
}

// options returns how a value is written that stays fresh for ttl, or for the
// Policy's TTL if ttl is 0.
func (p *Policy) options(ttl time.Duration, tags []string) WriteOptions {
	if ttl == 0 {
		ttl = p.jittered(p.TTL)
	}
	return WriteOptions{TTL: ttl, Stale: max(p.StaleFor, p.FailSafe), Tags: tags}
}

func (p *Policy) jittered(ttl time.Duration) time.Duration {
	if p.Jitter == 0 || ttl == Forever {
		return ttl
	}
	spread := p.Jitter * rand.Float64() * float64(ttl)
	return max(ttl-time.Duration(spread), time.Millisecond)
}
