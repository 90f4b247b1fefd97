// Package block has what the pieces of code in cacheotel take for granted.
package block

import (
	"context"

	"github.com/cohort-go/cohort/cache"
)

type User struct{}

var (
	store cache.Store
	users *cache.Typed[User]
)

func loadUser(ctx context.Context, id string) (User, error) { panic("given") }
