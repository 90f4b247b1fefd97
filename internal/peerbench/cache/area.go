// Package cache compares caches on Redis and in the process.
package cache

import (
	"fmt"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// Area returns the tables of caches.
func Area() frame.Area {
	return frame.Area{
		Name: "cache",
		Peers: []string{
			"github.com/maypok86/otter/v2",
			"github.com/redis/go-redis/v9",
			"github.com/redis/rueidis",
			"github.com/go-redis/cache/v9",
		},
		Tables: []frame.Table{
			hits(),
			reads(1), reads(16), reads(64),
			writes(1), writes(64),
			heardWrites(),
			staleness(),
			stampede(),
			idle(),
			filter(),
		},
	}
}

// user is the value of all tables.
type user struct {
	ID    int64
	Name  string
	Email string
	Tags  []string
}

func someUser(id int64) user {
	return user{ID: id, Name: "Ada Lovelace", Email: "ada@example.com", Tags: []string{"math", "engine"}}
}

// keys is how many keys the tables use.
const keys = 1000

func key(i int) string { return fmt.Sprintf("user:%d", i%keys) }
