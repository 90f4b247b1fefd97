// Package frame compares contenders that do the same work, in one process and one
// run.
//
// An [Area] is a list of tables. The contenders of a [Table] are opened, each is
// told how many operations fill a round, and then they take turns: in every
// round each of them runs once, beginning with another one each time, so that
// what disturbs the machine disturbs all of them. A table shows medians over the
// rounds; a ratio is the median of the ratios within each round.
package frame

import (
	"context"
)

// An Area is the comparison of one part of Cohort with its peers.
type Area struct {
	// Name is how -area calls it.
	Name string
	// Peers are the paths of the modules that Cohort is compared with; their
	// versions stand in the head of the report.
	Peers []string
	// Tables are measured in this order.
	Tables []Table
}

// A Table compares contenders that do the same work.
type Table struct {
	// Name says what one operation is.
	Name string
	// Note follows the table in the report. May be empty.
	Note string
	// Redis asks for a server: it is empty when the table begins, if it is the
	// frame's own, and its CPU time and commands are measured.
	Redis bool
	// RabbitMQ asks for a broker: without one the table is left out.
	RabbitMQ bool
	// Compare is the metric that ratios compare, such as "p99 ms"; smaller is
	// better. Default: the time of an operation.
	Compare string
	// Contenders begin with Cohort's; ratios are against this one.
	Contenders []Contender
}

// A Contender is one way to do a Table's work.
type Contender struct {
	Name string
	// Must is the least ratio of this contender's figure to Cohort's that the
	// project demands; 0 demands nothing.
	Must float64
	// Operations is how many make a round. Default: as many as fill the time
	// of a round.
	Operations int
	// Open prepares the contender, unmeasured.
	Open func(ctx context.Context, env *Env) (Cell, error)
}

// A Cell is a contender at work.
type Cell struct {
	// Run does n operations. Time, allocations and the server's work are
	// measured around it.
	Run func(ctx context.Context, n int, m *Meter) error
	// Close ends what Open began. May be nil.
	Close func()
}

// Each makes the Run of a Cell from one operation.
func Each(operation func(ctx context.Context) error) func(context.Context, int, *Meter) error {
	return func(ctx context.Context, n int, _ *Meter) error {
		for range n {
			if err := operation(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// Env is what the contenders of all areas may use.
type Env struct {
	// RedisURL names the server where the Table asked for Redis.
	RedisURL string
	// RabbitURL is the AMQP URL that was given; a Table that asks for RabbitMQ has
	// one.
	RabbitURL string
}
