package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cohort-go/cohort/cache"
)

const name = "revoked"

// blacklist knows which tokens were revoked; revoked stands for a table.
type blacklist struct {
	filter  cache.Bloom
	revoked map[string]bool
}

// accepts reports whether token is good. A filter that was lost is no empty filter:
// Exists says so instead of letting revoked tokens pass, and it is built anew.
func (b *blacklist) accepts(ctx context.Context, token string) (bool, error) {
	maybe, err := b.filter.Exists(ctx, name, token)
	if errors.Is(err, cache.ErrNotReserved) {
		if err := b.build(ctx); err != nil {
			return false, err
		}
		maybe, err = b.filter.Exists(ctx, name, token)
	}
	if err != nil {
		return false, err
	}
	return !maybe[0] || !b.revoked[token], nil
}

func (b *blacklist) build(ctx context.Context) error {
	if err := b.filter.Reserve(ctx, name, 100_000, 0.001); err != nil {
		return err
	}
	for token := range b.revoked {
		if _, err := b.filter.Add(ctx, name, token); err != nil {
			return err
		}
	}
	return nil
}

// present asks for some tokens, and once more after the filter was lost.
func present(ctx context.Context, b blacklist, out io.Writer) error {
	for _, token := range []string{"stolen", "valid", "logged-out"} {
		ok, err := b.accepts(ctx, token)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-10s accepted: %v\n", token, ok)
	}
	if _, err := b.filter.Drop(ctx, name); err != nil {
		return err
	}
	ok, err := b.accepts(ctx, "stolen")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "stolen     accepted: %v, also after the filter was lost\n", ok)
	return nil
}
