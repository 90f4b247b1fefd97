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
			contended(1, 16, section), contended(4, 4, section), contended(1, 16, 0), contended(4, 4, 0),
		},
	}
}

// section is how long the lock is held, computing.
const section = 100 * time.Microsecond

// libraries are compared in this order.
func libraries() []library {
	return []library{
		{"cohort", openCohort},
		{"redislock, polling every ms", openRedislock},
		{"redsync, polling every ms", openRedsync},
		{"rueidislock", openRueidislock},
	}
}

func uncontended(goroutines int) frame.Table {
	t := frame.Table{
		Name:  fmt.Sprintf("lock and unlock, %d goroutines, a name each", goroutines),
		Redis: true,
	}
	for i, l := range libraries() {
		c := frame.Contender{Name: l.name, Open: l.workload(workload{nodes: 1, goroutines: goroutines, apart: true})}
		if i == 1 {
			c.Must = 0.85
		}
		t.Contenders = append(t.Contenders, c)
	}
	return t
}

// turnsOfARound is the same for all: max/min turns of few turns says little. Where
// the section is empty, Cohort takes ten times as many.
const turnsOfARound = 2000

func contended(nodes, goroutines int, section time.Duration) frame.Table {
	t := frame.Table{
		Name:  fmt.Sprintf("one name, section of %v, %d nodes × %d goroutines", section, nodes, goroutines),
		Redis: true,
		Note: "p50 and p99 are the times from the call of unlock to the return of the next lock that was waited for. " +
			"Several nodes are as many processes. " +
			"A waiter of rueidislock asks again after 250 ms, because it misses wake-ups between nodes. " +
			"max/min compares the turns of the luckiest goroutine with those of the unluckiest.",
	}
	turns := turnsOfARound
	if section == 0 {
		turns *= 10
	}
	for _, l := range libraries() {
		t.Contenders = append(t.Contenders, frame.Contender{
			Name:       l.name,
			Operations: turns,
			Open:       l.workload(workload{nodes: nodes, goroutines: goroutines, section: section}),
		})
		turns = turnsOfARound
	}
	return t
}
