package cache

import (
	"context"
	"runtime/debug"
)

// protect turns a panic of load into an error, for all who wait for it.
func protect[T any](ctx context.Context, load loadMany[T], keys []string) (values map[string]Loaded[T], err error) {
	defer func() {
		if p := recover(); p != nil {
			values, err = nil, &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return load(ctx, keys)
}
