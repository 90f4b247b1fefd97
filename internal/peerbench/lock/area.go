// Package lock compares locks on Redis.
package lock

import (
	"fmt"
	"time"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// Area returns the tables of locks.
func Area() frame.Area {
	return frame.Area{
		Name: "lock",
		Peers: []string{
			"github.com/bsm/redislock",
			"github.com/go-redsync/redsync/v4",
			"github.com/redis/rueidis",
		},
		Tables: []frame.Table{
			uncontended(1), uncontended(16),
			contended(1, 16, section, libraries[:]), contended(4, 4, section, libraries[:steady]),
			contended(1, 16, 0, libraries[:]), contended(4, 4, 0, libraries[:steady]),
		},
	}
}

// section is how long the lock is held, computing.
const section = 100 * time.Microsecond

// libraries are compared in this order.
var libraries = [...]library{
	{"cohort", openCohort},
	{"redislock, polling every ms", openRedislock},
	{"redsync, polling every ms", openRedsync},
	{"rueidislock", openRueidislock},
}

// steady is how many of the libraries never stall. rueidislock does, for as long
// as a lock lives, when one goroutine takes a lock again and again, and between
// nodes: it unlocks in the background.
const steady = len(libraries) - 1

func uncontended(goroutines int) frame.Table {
	t := frame.Table{
		Name:  fmt.Sprintf("lock and unlock, %d goroutines, a name each", goroutines),
		Redis: true,
	}
	take := len(libraries)
	if goroutines == 1 {
		take = steady
	}
	for i, l := range libraries[:take] {
		c := frame.Contender{Name: l.name, Open: l.workload(workload{nodes: 1, goroutines: goroutines, apart: true})}
		if i == 1 {
			c.Must = 0.85
		}
		t.Contenders = append(t.Contenders, c)
	}
	return t
}

func contended(nodes, goroutines int, section time.Duration, libraries []library) frame.Table {
	t := frame.Table{
		Name:  fmt.Sprintf("one name, section of %v, %d nodes × %d goroutines", section, nodes, goroutines),
		Redis: true,
		Note: "p50 and p99 are the times from the call of unlock to the return of the next lock that was waited for. " +
			"A node is a client and a locker of its own in this process. " +
			"max/min compares the turns of the luckiest goroutine with those of the unluckiest.",
	}
	for _, l := range libraries {
		t.Contenders = append(t.Contenders, frame.Contender{
			Name: l.name,
			Open: l.workload(workload{nodes: nodes, goroutines: goroutines, section: section}),
		})
	}
	return t
}
