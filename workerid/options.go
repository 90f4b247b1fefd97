package workerid

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
	"unicode"
)

// Limits of Options.
const (
	MaxCount = 1 << 16                // numbers of a range
	MinTTL   = 100 * time.Millisecond // shortest lease
)

// Options configure an Allocator. The zero value of each field means its default.
// Every node of a namespace must have the same First, Count, Horizon, Skew,
// MaxTick, MaxAhead and Layout: whoever comes with others is refused with
// ErrConfigMismatch.
type Options struct {
	// First and Count are the range of numbers, inside 0 to 65535. Default 0 and 32.
	First, Count int
	// TTL is how long a node may be out of touch before its number can pass to
	// another. Default 30s, at least MinTTL and Horizon.
	TTL time.Duration
	// Renew is the time between renewals, of which chance takes or adds a tenth.
	// At most half of Horizon. Default TTL/3, or that half.
	Renew time.Duration
	// Horizon is how far into the future a renewal lets the holder stamp IDs, and
	// so for how long it can do without the server. Default 5/6 of the TTL, at
	// least three MaxTick.
	Horizon time.Duration
	// Skew is how far apart clocks of nodes and servers may be. It counts only
	// after the server lost data. Default 1s.
	Skew time.Duration
	// MaxTick is the longest tick of a layout that the numbers will be used with,
	// in whole milliseconds. Default 1s.
	MaxTick time.Duration
	// MaxAhead is how far generators may run ahead of their clock. Default 1s.
	MaxAhead time.Duration
	// Layout is a text that must be the same on every node and says what an ID
	// means: the String of the snowflake.Layout that the numbers are used with.
	// Default: none, so that nobody notices a node with another layout.
	Layout string
	// Fresh says that the numbers of this namespace have never been used, so that
	// the first holder need not keep clear of what earlier ones might have
	// stamped. It holds for the first Acquire only.
	Fresh bool
	// OpTimeout bounds each attempt at a round trip, and calls without a deadline
	// altogether. Default 5s.
	OpTimeout time.Duration
	// Logger receives failed renewals and lost leases. Default: discard.
	Logger *slog.Logger
	// Hooks observe the leases. Default: none.
	Hooks Hooks
}

func (o Options) withDefaults() (Options, error) {
	setDefault(&o.Count, 32)
	setDefault(&o.TTL, 30*time.Second)
	setDefault(&o.Horizon, o.TTL*5/6)
	setDefault(&o.Renew, min(o.TTL/3, o.Horizon/2))
	setDefault(&o.Skew, time.Second)
	setDefault(&o.MaxTick, time.Second)
	setDefault(&o.MaxAhead, time.Second)
	setDefault(&o.OpTimeout, 5*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, o.check()
}

func setDefault[T comparable](v *T, def T) {
	if *v == *new(T) {
		*v = def
	}
}

// These keep a mark far from where it would count as poisoned.
const (
	maxTTL  = 6 * time.Hour
	maxSkew = time.Hour
)

// problems are what is wrong with a configuration.
type problems []error

func (p *problems) requiref(ok bool, format string, args ...any) {
	if !ok {
		*p = append(*p, fmt.Errorf(format, args...))
	}
}

func (o Options) check() error {
	var p problems
	p.requiref(o.First >= 0, "First is %d, want 0 or more", o.First)
	p.requiref(o.Count >= 1 && o.Count <= MaxCount && o.First <= MaxCount-o.Count,
		"Count is %d from %d, want numbers inside 0 to %d", o.Count, o.First, MaxCount-1)
	p.requiref(o.TTL >= MinTTL && o.TTL <= maxTTL, "TTL is %v, want %v to %v", o.TTL, MinTTL, maxTTL)
	p.requiref(o.TTL >= o.Horizon, "TTL is %v, want Horizon (%v) or more", o.TTL, o.Horizon)
	p.requiref(o.Renew > 0 && o.Renew <= o.Horizon/2, "Renew is %v, want more than 0 and at most half of Horizon (%v)", o.Renew, o.Horizon)
	p.requiref(o.MaxTick >= time.Millisecond && o.MaxTick%time.Millisecond == 0, "MaxTick is %v, want whole milliseconds", o.MaxTick)
	p.requiref(o.Horizon >= 3*o.MaxTick, "Horizon is %v, want three MaxTick (%v) or more", o.Horizon, o.MaxTick)
	p.requiref(o.Skew >= time.Millisecond && o.Skew <= maxSkew, "Skew is %v, want 1ms to %v", o.Skew, maxSkew)
	p.requiref(o.MaxAhead >= 0 && o.MaxAhead <= maxTTL, "MaxAhead is %v, want 0 to %v", o.MaxAhead, maxTTL)
	p.requiref(o.OpTimeout > 0, "OpTimeout is %v, want more than 0", o.OpTimeout)
	p.requiref(!strings.ContainsFunc(o.Layout, unicode.IsControl), "Layout has control characters")
	if len(p) == 0 {
		// A holder that is revived after a loss must not have slept through another.
		limit := 2 * millis(o.terms().Gap)
		p.requiref(o.TTL <= limit, "TTL is %v, want at most %v, twice the gap that follows from Horizon, Skew, MaxTick and MaxAhead", o.TTL, limit)
	}
	return errors.Join(p...)
}

func (r Request) withDefaults(o Options) (Request, error) {
	if r.Holder == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown-host"
		}
		r.Holder = fmt.Sprintf("%.*s/%d", MaxHolder-20, host, os.Getpid())
	}
	var p problems
	p.requiref(len(r.Holder) <= MaxHolder && !strings.ContainsFunc(r.Holder, unicode.IsControl),
		"Holder is %.20q, want at most %d bytes without control characters", r.Holder, MaxHolder)
	if n := r.Preferred; n != nil {
		p.requiref(*n >= o.First && *n < o.First+o.Count, "Preferred is %d, want %d to %d", *n, o.First, o.First+o.Count-1)
	}
	return r, errors.Join(p...)
}
