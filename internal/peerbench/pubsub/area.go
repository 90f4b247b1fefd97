// Package pubsub compares ways to tell every node of a cluster something.
package pubsub

import (
	"fmt"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// Area returns the tables of signals.
func Area() frame.Area {
	a := frame.Area{
		Name: "pubsub",
		Peers: []string{
			"github.com/redis/go-redis/v9",
			"github.com/ThreeDotsLabs/watermill-redisstream",
		},
	}
	for _, nodes := range []int{1, 8, 32} {
		a.Tables = append(a.Tables, latency(nodes))
	}
	demands := map[int]struct{ pipelined, watermill float64 }{1: {0.5, 8}, 8: {1.2, 15}, 32: {2.2, 25}}
	for _, nodes := range []int{1, 8, 32} {
		d := demands[nodes]
		a.Tables = append(a.Tables, throughput(nodes, d.pipelined, d.watermill))
	}
	return a
}

// rate is the messages per second whose latency is measured.
const rate = 500

func latency(nodes int) frame.Table {
	return frame.Table{
		Name:    fmt.Sprintf("one message at a time, %d per second, to %s", rate, counted(nodes)),
		Redis:   true,
		Compare: "p50 ms",
		Note:    "p50 and p99 are the times from the call of publish to a node's handler.",
		Contenders: []frame.Contender{
			{Name: "cohort", Operations: rate / 2, Open: steady(nodes, openCohort)},
			{Name: "go-redis PUBLISH/SUBSCRIBE", Operations: rate / 2, Must: 1 / 1.15, Open: steady(nodes, openPublish)},
			{Name: "watermill-redisstream", Operations: rate / 2, Open: steady(nodes, openWatermill)},
		},
	}
}

func throughput(nodes int, pipelined, watermill float64) frame.Table {
	return frame.Table{
		Name:  fmt.Sprintf("until %s has the message, %d callers with %d messages a call", counted(nodes), callers, perCall),
		Redis: true,
		Contenders: []frame.Contender{
			{Name: "cohort", Open: flood(nodes, openCohort)},
			{Name: "go-redis PUBLISH/SUBSCRIBE, pipelined", Must: pipelined, Open: flood(nodes, openPublish)},
			{Name: "watermill-redisstream", Must: watermill, Open: flood(nodes, openWatermill)},
		},
	}
}

func counted(nodes int) string {
	if nodes == 1 {
		return "1 node"
	}
	return fmt.Sprintf("each of %d nodes", nodes)
}
