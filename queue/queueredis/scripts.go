package queueredis

import (
	"context"
	_ "embed"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/script"
)

//go:embed lua/common.lua
var commonLua string

//go:embed lua/insert.lua
var insertLua string

//go:embed lua/enqueue.lua
var enqueueLua string

//go:embed lua/put.lua
var putLua string

//go:embed lua/putmany.lua
var putManyLua string

//go:embed lua/tick.lua
var tickLua string

//go:embed lua/last.lua
var lastLua string

//go:embed lua/claim.lua
var claimLua string

//go:embed lua/settle.lua
var settleLua string

//go:embed lua/extend.lua
var extendLua string

//go:embed lua/progress.lua
var progressLua string

//go:embed lua/cancel.lua
var cancelLua string

//go:embed lua/redrive.lua
var redriveLua string

//go:embed lua/purge.lua
var purgeLua string

//go:embed lua/repair.lua
var repairLua string

//go:embed lua/pause.lua
var pauseLua string

//go:embed lua/stats.lua
var statsLua string

//go:embed lua/list.lua
var listLua string

//go:embed lua/get.lua
var getLua string

// scripts are one for each transition.
type scripts struct {
	put, putMany, enqueue, tick, last, claim, settle, extend, progress,
	cancel, redrive, purge, repair, pause, stats, list, get *pair
}

// newScripts marks those that free memory or keep leases: they also run when Redis
// is full. Otherwise all leases would expire just when nothing else can be done.
func newScripts() scripts {
	return scripts{
		put:      alone(putLua),
		putMany:  alone(putManyLua),
		enqueue:  fills(insertLua, enqueueLua),
		tick:     fills(insertLua, tickLua),
		last:     frees(lastLua),
		claim:    frees(claimLua),
		settle:   frees(settleLua),
		extend:   frees(extendLua),
		progress: fills(progressLua),
		cancel:   frees(cancelLua),
		redrive:  frees(redriveLua),
		purge:    frees(purgeLua),
		repair:   frees(repairLua),
		pause:    frees(pauseLua),
		stats:    frees(statsLua),
		list:     frees(listLua),
		get:      frees(getLua),
	}
}

// pair is a script, and the same without the line of flags that servers before
// Redis 7 take for a mistake.
type pair struct {
	flagged, plain *script.Script
}

func fills(parts ...string) *pair {
	s := script.New(commonLua + strings.Join(parts, ""))
	return &pair{flagged: s, plain: s}
}

// alone is a script without the common part.
func alone(text string) *pair {
	s := script.New(text)
	return &pair{flagged: s, plain: s}
}

func frees(parts ...string) *pair {
	text := commonLua + strings.Join(parts, "")
	return &pair{flagged: script.New("#!lua flags=allow-oom\n" + text), plain: script.New(text)}
}

// run sends the script, and remembers in plain that the server does not know flags.
func (p *pair) run(ctx context.Context, c redis.Scripter, plain *atomic.Bool, keys []string, args ...any) (any, error) {
	if !plain.Load() {
		v, err := p.flagged.Run(ctx, c, keys, args...).Result()
		if p.flagged == p.plain || !unknownFlags(err) {
			return v, err
		}
		plain.Store(true)
	}
	return p.plain.Run(ctx, c, keys, args...).Result()
}

func unknownFlags(err error) bool {
	if _, reply := errors.AsType[redis.Error](err); !reply {
		return false
	}
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "compil") || strings.Contains(text, "syntax")
}
