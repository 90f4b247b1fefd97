package frame

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Options say how much is measured.
type Options struct {
	Rounds int           // of each table
	Round  time.Duration // that one contender fills in one round
	Env    Env
	Server *Server // nil unless a table asks for Redis
}

// Measure runs all tables of area.
func Measure(ctx context.Context, area Area, opts Options) (AreaResult, error) {
	result := AreaResult{Area: area.Name}
	for _, table := range area.Tables {
		r, err := measureTable(ctx, table, opts)
		if err != nil {
			return result, fmt.Errorf("%s, %s: %w", area.Name, table.Name, err)
		}
		result.Tables = append(result.Tables, r)
	}
	return result, nil
}

// running is an opened contender and what its rounds gave.
type running struct {
	Contender
	cell   Cell
	rounds []map[string]float64
}

func measureTable(ctx context.Context, table Table, opts Options) (result TableResult, err error) {
	if table.Redis {
		if err := opts.Server.empty(ctx); err != nil {
			return result, err
		}
	}
	contenders, err := open(ctx, table, &opts.Env)
	defer func() {
		for _, c := range contenders {
			if c.cell.Close != nil {
				c.cell.Close()
			}
		}
	}()
	if err != nil {
		return result, err
	}
	for _, c := range contenders {
		if err := c.calibrate(ctx, opts.Round); err != nil {
			return result, err
		}
	}
	for round := range opts.Rounds {
		for i := range contenders {
			c := contenders[(round+i)%len(contenders)]
			if err := c.round(ctx, table, opts.Server); err != nil {
				return result, err
			}
		}
	}
	if table.Redis {
		for _, c := range contenders {
			if err := c.countCommands(ctx, opts.Server); err != nil {
				return result, err
			}
		}
	}
	return summarize(table, contenders), nil
}

func open(ctx context.Context, table Table, env *Env) (contenders []*running, err error) {
	for _, c := range table.Contenders {
		cell, err := c.Open(ctx, env)
		if err != nil {
			return contenders, fmt.Errorf("%s: %w", c.Name, err)
		}
		contenders = append(contenders, &running{Contender: c, cell: cell})
	}
	return contenders, nil
}

// calibrate finds how many operations fill a round; it also warms up. Who connects
// with the first operation would otherwise be given a round of a single one.
func (c *running) calibrate(ctx context.Context, round time.Duration) error {
	fixed, n := c.Operations > 0, max(c.Operations, 1)
	if !fixed {
		if _, _, err := c.run(ctx, n); err != nil {
			return err
		}
	}
	for {
		m, elapsed, err := c.run(ctx, n)
		if err != nil {
			return err
		}
		if fixed {
			return nil
		}
		if elapsed > round/10 {
			c.Operations = max(1, int(float64(round)/m.metrics[timeMetric]))
			return nil
		}
		n *= 4
	}
}

func (c *running) run(ctx context.Context, n int) (*Meter, time.Duration, error) {
	runtime.GC()
	m := newMeter()
	err := c.cell.Run(ctx, n, m)
	elapsed := m.finish(n)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", c.Name, err)
	}
	return m, elapsed, ctx.Err()
}

// round measures one round.
func (c *running) round(ctx context.Context, table Table, server *Server) error {
	var cpu time.Duration
	var err error
	if table.Redis {
		if cpu, err = server.cpu(ctx); err != nil {
			return err
		}
	}
	m, _, err := c.run(ctx, c.Operations)
	if err != nil {
		return err
	}
	if table.Redis {
		after, err := server.cpu(ctx)
		if err != nil {
			return err
		}
		m.metrics[cpuMetric] = float64((after - cpu).Microseconds()) / float64(c.Operations)
	}
	c.rounds = append(c.rounds, m.metrics)
	return nil
}

// countCommands runs one short round while the server reports every command.
func (c *running) countCommands(ctx context.Context, server *Server) error {
	const most = 2000 // the report is slow
	n := min(c.Operations, most)
	sent, inScripts, err := server.monitor(ctx, func() error {
		_, _, err := c.run(ctx, n)
		return err
	})
	if err != nil {
		return errors.Join(fmt.Errorf("%s: count commands", c.Name), err)
	}
	last := c.rounds[len(c.rounds)-1]
	last[commandMetric] = float64(sent) / float64(n)
	last[scriptMetric] = float64(inScripts) / float64(n)
	return nil
}
