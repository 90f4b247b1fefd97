package lockredis

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/cohort-go/cohort/internal/script"
	"github.com/cohort-go/cohort/lock"
)

//go:embed inspect.lua
var inspectLua string

// Inspect implements lock.Backend.
func (c *conn) Inspect(ctx context.Context, name string) (lock.Info, error) {
	n, err := c.names(name, "held", "queue", "fence")
	if err != nil {
		return lock.Info{}, err
	}
	var answer []any
	err = c.retry(ctx, func(ctx context.Context) (err error) {
		answer, err = script.New(inspectLua).Run(ctx, c.client, n.keys).Slice()
		return err
	})
	if err != nil {
		return lock.Info{}, err
	}
	return info(answer)
}

func info(answer []any) (lock.Info, error) {
	if len(answer) != 4 {
		return lock.Info{}, fmt.Errorf("unexpected answer %v", answer)
	}
	owner, _ := answer[0].(string)
	pttl, _ := answer[1].(int64)
	waiters, _ := answer[2].(int64)
	text, _ := answer[3].(string)
	fence, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return lock.Info{}, fmt.Errorf("the fence counter: %w", err)
	}
	return lock.Info{
		Held: owner != "", Owner: bare(owner), Fence: fence, Waiters: int(waiters),
		TTL: time.Duration(max(pttl, 0)) * time.Millisecond,
	}, nil
}
