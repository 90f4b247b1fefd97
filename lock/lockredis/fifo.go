package lockredis

import (
	"context"
	_ "embed"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/internal/script"
	"github.com/cohort-go/cohort/lock"
)

// unheard is how long a grant lasts that its process has perhaps not heard of.
const unheard = 500 * time.Millisecond

var (
	//go:embed queue.lua
	queueLua string
	//go:embed acquire_free.lua
	acquireFreeLua string
	//go:embed acquire.lua
	acquireLua string
	//go:embed extend.lua
	extendLua string
	//go:embed release_idle.lua
	releaseIdleLua string
	//go:embed release.lua
	releaseLua string
	//go:embed semaphore_queue.lua
	semaphoreQueueLua string
	//go:embed semaphore_acquire.lua
	semaphoreAcquireLua string
	//go:embed semaphore_extend.lua
	semaphoreExtendLua string
	//go:embed semaphore_release.lua
	semaphoreReleaseLua string
)

// scripts are the round trips for one sort of name, and its keys.
type scripts struct {
	acquire, extend, release *script.Script
	keys                     keyring

	extended atomic.Bool // the server has the extend script
}

// fifo is the engine with a queue in the server.
type fifo struct {
	conn
	lock scripts
	sem  scripts
	listener
}

var _ lock.Backend = (*fifo)(nil)

func newFIFO(c conn) *fifo {
	return &fifo{
		conn: c,
		lock: scripts{
			acquire: script.New(acquireFreeLua + queueLua + acquireLua),
			extend:  script.New(extendLua),
			release: script.New(releaseIdleLua + queueLua + releaseLua),
			keys:    newKeyring(c, "held", "queue", "fence"),
		},
		sem: scripts{
			acquire: script.New(semaphoreQueueLua + semaphoreAcquireLua),
			extend:  script.New(semaphoreExtendLua),
			release: script.New(semaphoreQueueLua + semaphoreReleaseLua),
			keys:    newKeyring(c, "s", "squeue", "sfence"),
		},
	}
}

// of returns the scripts for a claim.
func (b *fifo) of(c lock.Claim) *scripts {
	if c.Permits > 0 {
		return &b.sem
	}
	return &b.lock
}

// Start implements lock.Backend.
func (b *fifo) Start(process string, events lock.Events) error {
	b.start(b.client, rediskey.Prefix(b.namespace, area+"-events")+process, events, b.log)
	return nil
}

// Close implements lock.Backend.
func (b *fifo) Close(ctx context.Context) error { return b.close(ctx) }

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
