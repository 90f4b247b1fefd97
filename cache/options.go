package cache

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Options tune a [Cache].
type Options struct {
	// Prefix names the part of the Store that is this Cache's own: letters,
	// digits, and the characters . _ - :, at most 64. Required. No Cache touches
	// the keys of another Prefix.
	Prefix string
	// L1 is the in-process tier.
	L1 L1
	// MaxBytes is the largest encoded value. Default 1 MiB.
	MaxBytes int
	// Down says what GetOrLoad does while the Store is away. Default [Bypass].
	Down Down
	// Hooks observe the Cache. Optional.
	Hooks *Hooks
	// Logger receives what nobody else hears of: failed background loads and
	// undecodable entries. Default: discard.
	Logger *slog.Logger
}

// L1 describes the in-process tier of a [Cache].
type L1 struct {
	// MaxEntries bounds it. Default 10 000; a negative number means no
	// in-process tier.
	MaxEntries int
	// TTL bounds how long a copy is used. Default 1 min. The entry's own TTL
	// always bounds it too.
	TTL time.Duration
	// MaxStaleness is how long after a change on another node the older value
	// may still be returned here. Default 1 s, at least 20 ms, at most an hour.
	MaxStaleness time.Duration
}

// Down is what GetOrLoad does while the Store is away.
type Down int

const (
	// Bypass calls the loader, once per key and node at a time, and keeps
	// nothing.
	Bypass Down = iota
	// ServeStale returns the node's own copy, whatever happened to the key
	// meanwhile, and calls the loader only where there is none.
	ServeStale
)

// maxL1TTL keeps sums of times in range.
const maxL1TTL = 100 * 365 * 24 * time.Hour

// MaxPrefix is the length in bytes of the longest Prefix.
const MaxPrefix = 64

func (o Options) withDefaults() (Options, error) {
	setDefault(&o.L1.MaxEntries, 10_000)
	setDefault(&o.L1.TTL, time.Minute)
	setDefault(&o.L1.MaxStaleness, time.Second)
	setDefault(&o.MaxBytes, 1<<20)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Hooks == nil {
		o.Hooks = new(Hooks)
	}
	var errs []error
	if err := checkPrefix(o.Prefix); err != nil {
		errs = append(errs, err)
	}
	if t := o.L1.TTL; t < 0 || t > maxL1TTL {
		errs = append(errs, fmt.Errorf("L1.TTL is %v, want more than 0 and at most %v", t, maxL1TTL))
	}
	if b := o.L1.MaxStaleness; b < 20*time.Millisecond || b > time.Hour {
		errs = append(errs, fmt.Errorf("L1.MaxStaleness is %v, want 20ms to 1h", b))
	}
	if o.MaxBytes < 0 {
		errs = append(errs, fmt.Errorf("MaxBytes is %d, want more than 0", o.MaxBytes))
	}
	if o.Down != Bypass && o.Down != ServeStale {
		errs = append(errs, fmt.Errorf("Down is %d, want Bypass or ServeStale", o.Down))
	}
	return o, errors.Join(errs...)
}

func checkPrefix(p string) error {
	if p == "" || len(p) > MaxPrefix {
		return fmt.Errorf("Prefix has %d bytes, want 1 to %d", len(p), MaxPrefix)
	}
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:"
	for _, r := range p {
		if !strings.ContainsRune(allowed, r) {
			return fmt.Errorf("Prefix %q has characters other than letters, digits and . _ - :", p)
		}
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
