package chaos

import (
	"context"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
)

// A scenario is parts at work on servers under faults.
type scenario struct {
	id, what    string
	servers     func(c *course) stage
	nodes       int
	parts       []string
	more        []string // further variables
	slow        string   // node whose handlers dawdle
	faults      []fault
	short, long time.Duration // how long faults happen

	noErrors  bool
	onlyKills bool          // jobs are repeated only where a worker was killed
	crowded   bool          // not every node gets a worker number
	forgets   bool          // the server loses what it acknowledged: grants and jobs
	usable    time.Duration // how soon everything works after the servers do
	judge     func(c *course)
}

// everything is all parts.
func everything() []string { return []string{"ids", "lock", "signals", "cache", "queue"} }

// scenarios lists what the module promises to survive.
func scenarios() []scenario {
	second := time.Second
	return []scenario{
		{
			id: "R1", what: "workers killed every 2 s", servers: plain, nodes: 3, parts: []string{"queue"},
			faults: []fault{{2 * second, killNode}}, short: 9 * second, long: 200 * second, onlyKills: true,
		},
		{
			id: "R2", what: "RabbitMQ closes connections, runs out of memory, restarts", servers: withRabbit, nodes: 3,
			parts: []string{"queue"}, short: 14 * second, long: 200 * second,
			faults: []fault{{500 * time.Millisecond, inTurn(closeRabbit, closeRabbit, alarmRabbit, closeRabbit, restartRabbit)}},
		},
		{
			id: "R3", what: "Redis (AOF always) restarts", servers: appendOnly, nodes: 3, parts: everything(),
			faults: []fault{{4 * second, restartRedis}}, short: 9 * second, long: 120 * second, usable: 2 * second,
		},
		{
			id: "R4", what: "locks: processes stopped past the TTL, a bad network", servers: behindProxy, nodes: 4, parts: []string{"lock"},
			faults: []fault{
				{time.Second, freezeHolder(1500 * time.Millisecond)},
				{second, anyOf(cutConnections, cutReply, loseTraffic(400*time.Millisecond), slowTraffic)},
			}, short: 10 * second, long: 180 * second,
		},
		{
			id: "R4-loss", what: "locks: FLUSHALL, processes stopped", servers: plain, nodes: 4, parts: []string{"lock"},
			faults: []fault{{500 * time.Millisecond, freezeHolder(1200 * time.Millisecond)}, {700 * time.Millisecond, flushAll}}, forgets: true,
			short: 6 * second, long: 60 * second,
		},
		{
			id: "R4-failover", what: "locks: Sentinel fails over", servers: withSentinel, nodes: 4, parts: []string{"lock"}, forgets: true,
			faults: []fault{{2 * second, failOver}}, short: 8 * second, long: 90 * second,
		},
		{
			id: "R5", what: "more processes than worker numbers, killed and stopped", servers: plain, nodes: 10, parts: []string{"ids"},
			more: []string{"WORKER_ID_MAX=7"}, crowded: true, judge: judgeRefusals,
			faults: []fault{{700 * time.Millisecond, killNode}, {second, freezeNode(800 * time.Millisecond)}},
			short:  6 * second, long: 60 * second,
		},
		{
			id: "R6", what: "IDs over rolling restarts", servers: plain, nodes: 3, parts: []string{"ids"},
			faults: []fault{{second, replaceNode}, {3 * second, killNode}}, short: 6 * second, long: 300 * second,
		},
		{
			id: "R7", what: "signals: subscribers cut off, slow, away", servers: plain, nodes: 8, parts: []string{"signals"}, slow: "n2",
			faults: []fault{{200 * time.Millisecond, killClients("pubsub")}, {4 * second, freezeNode(awayFor())}},
			short:  10 * second, long: 360 * second,
		},
		{
			id: "R8", what: "cache: holes, cuts, late replies", servers: behindProxy, nodes: 4, parts: []string{"cache"},
			faults: []fault{{time.Second, anyOf(cutConnections, cutReply, loseTraffic(1500*time.Millisecond), slowTraffic)}},
			short:  10 * second, long: 120 * second,
		},
		{
			id: "R9-cluster", what: "Redis Cluster loses a master", servers: ofCluster, nodes: 3, parts: everything(), forgets: true,
			faults: []fault{{2 * second, failOver}}, short: 7 * second, long: 90 * second, usable: second,
		},
		{
			id: "R9-sentinel", what: "Sentinel fails over", servers: withSentinel, nodes: 3, forgets: true,
			parts:  []string{"ids", "lock", "signals", "cache"}, // a job that no replica had is lost: see Replicas
			faults: []fault{{2 * second, failOver}}, short: 7 * second, long: 90 * second, usable: second,
		},
		{
			id: "R10", what: "all faults at random", servers: behindProxy, nodes: 4, parts: everything(),
			faults: []fault{{700 * time.Millisecond, anyOf(
				killNode, replaceNode, freezeNode(1500*time.Millisecond), cutConnections, cutReply, loseTraffic(time.Second), slowTraffic,
				killClients("normal"), killClients("pubsub"), flushScripts, pauseClients, freezeRedis(500*time.Millisecond),
			)}}, short: 15 * second, long: 600 * second, judge: judgeLeftovers,
		},
		{
			id: "R11", what: "SCRIPT FLUSH every 5 ms", servers: plain, nodes: 3, parts: everything(),
			faults: []fault{{5 * time.Millisecond, flushScripts}}, short: 5 * second, long: 60 * second, noErrors: true,
		},
		{
			id: "R12", what: "Close in the middle of a fault", servers: behindProxy, nodes: 3, parts: everything(),
			faults: []fault{{500 * time.Millisecond, inTurn(
				closeDuring(func(c *course) { c.redis.Freeze() }, func(c *course) { c.redis.Thaw() }),
				closeDuring(func(c *course) { c.proxy.Hole(testenv.Both) }, func(c *course) { c.proxy.Pass() }),
				closeDuring(func(c *course) { c.proxy.Hole(testenv.ToClient) }, func(c *course) { c.proxy.Pass() }),
				closeDuring(cutConnections, func(*course) {}),
				closeDuring(pauseClients, func(*course) {}),
			)}}, short: 15 * second, long: 90 * second,
		},
	}
}

// awayFor is how long a subscriber of R7 is away.
func awayFor() time.Duration {
	if testenv.Long() {
		return 10 * time.Second
	}
	return 2 * time.Second
}

// inTurn inflicts one after the other of faults.
func inTurn(faults ...func(c *course)) func(c *course) {
	next := 0
	return func(c *course) {
		faults[next%len(faults)](c)
		next++
	}
}

// judgeRefusals looks how soon nodes for which there was no number heard of it.
func judgeRefusals(c *course) {
	refused, slowest := 0, time.Duration(0)
	for _, r := range read(c, c.dir, "open") {
		if r.words[0] == "exhausted" {
			refused++
			slowest = max(slowest, time.Duration(r.number(1))*time.Microsecond)
		}
	}
	c.figure("%d times no number was free, told within %v", refused, slowest.Round(100*time.Microsecond))
	if refused == 0 {
		c.Error("every node had a number")
	}
}

// judgeLeftovers looks for connections that no process has any more.
func judgeLeftovers(c *course) {
	ctx, cancel := context.WithTimeout(c.Context(), 10*time.Second)
	defer cancel()
	for {
		left := c.proxy.Open()
		if left == 0 {
			return
		}
		select {
		case <-ctx.Done():
			c.Errorf("%d connections are left", left)
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}
