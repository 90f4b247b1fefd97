package chaos

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
)

// A fault happens again and again, with a pause between.
type fault struct {
	every   time.Duration
	inflict func(c *course)
}

// anyOf inflicts one of faults, drawn each time.
func anyOf(faults ...func(c *course)) func(c *course) {
	return func(c *course) { faults[c.chance(len(faults))](c) }
}

// member draws a node and keeps other faults from it until release.
func (c *course) member() (m *member, release func()) {
	i := c.chance(len(c.members))
	c.turn[i].Lock()
	return c.members[i], sync.OnceFunc(c.turn[i].Unlock)
}

func killNode(c *course) {
	m, release := c.member()
	defer release()
	m.kill()
}

// replaceNode ends a node in order and starts it again.
func replaceNode(c *course) {
	m, release := c.member()
	defer release()
	if err := m.await("ready", m.ready, 30*time.Second); err != nil {
		return
	}
	if err := m.quit(m.process.Interrupt); err != nil {
		c.Error(err)
	}
	m.start()
}

// freezeNode stops a node as a long pause would.
func freezeNode(d time.Duration) func(c *course) {
	return func(c *course) {
		m, release := c.member()
		defer release()
		m.process.Freeze()
		time.Sleep(d)
		m.process.Thaw()
	}
}

// freezeHolder stops the node that the ledger has seen last, which has the lock.
func freezeHolder(d time.Duration) func(c *course) {
	return func(c *course) {
		holder := c.ledger.holding()
		for i, m := range c.members {
			if m.name == holder {
				c.turn[i].Lock()
				defer c.turn[i].Unlock()
				m.process.Freeze()
				time.Sleep(d)
				m.process.Thaw()
			}
		}
	}
}

// cutConnections breaks all connections through the proxy.
func cutConnections(c *course) { c.proxy.Reset() }

// cutReply has the server do something whose answer is lost.
func cutReply(c *course) { c.proxy.CutAfterReplies(c.chance(20)) }

// loseTraffic lets nothing through for d, in a direction or both.
func loseTraffic(d time.Duration) func(c *course) {
	return func(c *course) {
		c.proxy.Hole([]testenv.Direction{testenv.ToServer, testenv.ToClient, testenv.Both}[c.chance(3)])
		time.Sleep(d)
		c.proxy.Pass()
	}
}

func slowTraffic(c *course) {
	c.proxy.Delay(50*time.Millisecond, 40*time.Millisecond)
	time.Sleep(time.Second)
	c.proxy.Pass()
}

func killClients(kind string) func(c *course) {
	return func(c *course) {
		c.ask(func(ctx context.Context, r redis.UniversalClient) error {
			return r.Do(ctx, "CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes").Err()
		})
	}
}

func flushScripts(c *course) {
	c.ask(func(ctx context.Context, r redis.UniversalClient) error { return r.ScriptFlush(ctx).Err() })
}

func flushAll(c *course) {
	c.ask(func(ctx context.Context, r redis.UniversalClient) error { return r.FlushAll(ctx).Err() })
}

func pauseClients(c *course) {
	c.ask(func(ctx context.Context, r redis.UniversalClient) error {
		return r.ClientPause(ctx, 300*time.Millisecond).Err()
	})
}

func freezeRedis(d time.Duration) func(c *course) {
	return func(c *course) {
		c.redis.Freeze()
		time.Sleep(d)
		c.redis.Thaw()
		c.back()
	}
}

func restartRedis(c *course) {
	c.redis.Restart(c)
	c.back()
}

// failOver kills the master, waits for its successor, and brings it back.
func failOver(c *course) {
	switch {
	case c.sentinel != nil:
		c.sentinel.Await(c)
		master := c.sentinel.Master(c)
		master.Kill()
		c.sentinel.AwaitOther(c, master)
		c.back()
		time.Sleep(time.Second)
		master.Restart(c)
	default:
		c.cluster.Await(c)
		master := c.cluster.Master(c, "any")
		master.Kill()
		c.cluster.Await(c)
		c.back()
		time.Sleep(time.Second)
		master.Restart(c)
	}
}

func closeRabbit(c *course) { c.rabbit.Ctl(c, "close_all_connections", "chaos") }

func restartRabbit(c *course) { c.rabbit.Restart(c) }

// alarmRabbit has the broker stop publishers for lack of memory.
func alarmRabbit(c *course) {
	c.rabbit.Ctl(c, "set_vm_memory_high_watermark", "0.00001")
	time.Sleep(2 * time.Second)
	c.rabbit.Ctl(c, "set_vm_memory_high_watermark", "0.6")
}

// closeDuring ends a node in order in the middle of a fault.
func closeDuring(begin, undo func(c *course)) func(c *course) {
	return func(c *course) {
		m, release := c.member()
		defer release()
		if err := m.await("ready", m.ready, 30*time.Second); err != nil {
			c.Error(err)
			return
		}
		begin(c)
		err := m.quit(m.process.Interrupt)
		undo(c)
		if err != nil {
			c.Error(err)
		}
		m.start()
		if err := m.await("ready", m.ready, 30*time.Second); err != nil {
			c.Error(err)
		}
	}
}
