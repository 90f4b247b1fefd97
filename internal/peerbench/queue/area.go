// Package queue compares job queues.
package queue

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// What all contenders do: messages of 128 bytes, 16 workers.
const (
	payloadSize = 128
	workers     = 16
	backlogSize = 20_000
	memorySize  = 100_000
	perSecond   = 100
)

// Area returns the tables of job queues.
func Area() frame.Area {
	return frame.Area{
		Name: "queue",
		Peers: []string{
			"github.com/hibiken/asynq",
			"github.com/adjust/rmq/v5",
			"github.com/ThreeDotsLabs/watermill-redisstream",
			"github.com/rabbitmq/amqp091-go",
			"github.com/wagslane/go-rabbitmq",
			"github.com/ThreeDotsLabs/watermill-amqp/v3",
		},
		Tables: append([]frame.Table{enqueue(), enqueueConcurrently(), enqueueMany(), backlog(), latency(), memory()},
			rabbitTables()...),
	}
}

// system is a queue under comparison.
type system interface {
	// put stores one message, putMany n of them in the fastest way there is.
	put(ctx context.Context, payload []byte) error
	putMany(ctx context.Context, payload []byte, n int) error
	// consume calls handle for each message, with 16 workers, until stop.
	consume(handle func(payload []byte)) (stop func(), err error)
	close()
}

type runFunc = func(ctx context.Context, n int, m *frame.Meter) error

// workFunc makes of a system what is measured, and how it ends.
type workFunc = func(system) (run runFunc, stop func())

type opener func(ctx context.Context, rdb *redis.Client) (system, error)

// peers are all contenders, Cohort first, with the ratio demanded of one of them.
func peers(must map[string]float64, operations int, work workFunc) []frame.Contender {
	var list []frame.Contender
	for _, p := range []struct {
		name string
		open opener
	}{
		{"cohort queueredis", openCohort},
		{"asynq", openAsynq},
		{"rmq", openRMQ},
		{"watermill-redisstream", openWatermill},
	} {
		list = append(list, frame.Contender{
			Name: p.name, Must: must[p.name], Operations: operations,
			Open: func(ctx context.Context, env *frame.Env) (frame.Cell, error) {
				opts, err := redis.ParseURL(env.RedisURL)
				if err != nil {
					return frame.Cell{}, errors.New("not a URL of a Redis server")
				}
				rdb := redis.NewClient(opts)
				s, err := p.open(ctx, rdb)
				if err != nil {
					return frame.Cell{}, errors.Join(err, rdb.Close())
				}
				run, stop := work(s)
				return frame.Cell{Run: run, Close: func() { stop(); s.close(); _ = rdb.Close() }}, nil
			},
		})
	}
	return list
}

func enqueue() frame.Table {
	return frame.Table{
		Name: "enqueue, one producer", Redis: true,
		Contenders: peers(map[string]float64{"asynq": 1}, 0, oneProducer),
	}
}

func enqueueConcurrently() frame.Table {
	return frame.Table{
		Name: "enqueue, 16 producers", Redis: true,
		Contenders: peers(map[string]float64{"asynq": 1.4}, 0, manyProducers),
	}
}

func enqueueMany() frame.Table {
	return frame.Table{
		Name: "enqueue, 100 at once (per message)", Redis: true,
		Note:       "asynq has no batch; it is measured message by message.",
		Contenders: peers(nil, 0, manyAtOnce(100)),
	}
}

func backlog() frame.Table {
	table := frame.Table{
		Name: "process a backlog of 20 000, 16 workers", Redis: true,
		Note: "The time is that of processing; Redis CPU and commands include the enqueueing. " +
			"cohort and asynq run with leases, heartbeats, retries and timeouts; rmq and watermill have fewer of these. " +
			"watermill's backlog is 1000, and its time no measure of its speed: a round ends with messages that a stopped " +
			"reader was given, for which it waits a minute.",
		Contenders: peers(map[string]float64{"asynq": 20}, backlogSize, wholeBacklog),
	}
	for i := range table.Contenders {
		if c := &table.Contenders[i]; c.Name == "watermill-redisstream" {
			c.Operations = 1000
		}
	}
	return table
}

func putAll(ctx context.Context, s system, n int) error {
	payload := make([]byte, payloadSize)
	put := s.putMany
	if f, ok := s.(interface {
		fill(ctx context.Context, payload []byte, n int) error
	}); ok {
		put = f.fill
	}
	for done := 0; done < n; done += 1000 {
		if err := put(ctx, payload, min(1000, n-done)); err != nil {
			return err
		}
	}
	return nil
}

// handleAll consumes until n messages were handled.
func handleAll(ctx context.Context, s system, n int) (stop func(), err error) {
	var handled atomic.Int64
	all := make(chan struct{})
	stop, err = s.consume(func([]byte) {
		if handled.Add(1) == int64(n) {
			close(all)
		}
	})
	if err != nil {
		return func() {}, err
	}
	select {
	case <-all:
		return stop, nil
	case <-ctx.Done():
		return stop, ctx.Err()
	}
}

func latency() frame.Table {
	return frame.Table{
		Name: "from enqueue to handler, 100 messages a second", Redis: true, Compare: "p99 ms",
		Contenders: peers(nil, 2*perSecond, func(s system) (runFunc, func()) {
			stop := func() {}
			return func(ctx context.Context, n int, m *frame.Meter) error {
				stop()
				var wg sync.WaitGroup
				wg.Add(n)
				var err error
				stop, err = s.consume(func(payload []byte) {
					sent, err := strconv.ParseInt(strings.TrimRight(string(payload), "\x00"), 10, 64)
					if err == nil {
						m.Observe(time.Since(time.Unix(0, sent)))
					}
					wg.Done()
				})
				if err != nil {
					return err
				}
				time.Sleep(100 * time.Millisecond) // all of them are ready then
				ticker := time.NewTicker(time.Second / perSecond)
				defer ticker.Stop()
				for range n {
					<-ticker.C
					payload := make([]byte, payloadSize)
					copy(payload, strconv.FormatInt(time.Now().UnixNano(), 10))
					if err := s.put(ctx, payload); err != nil {
						return err
					}
				}
				wg.Wait()
				return nil
			}, func() { stop() }
		}),
	}
}

func memory() frame.Table {
	const metric = "Redis bytes/message"
	table := frame.Table{Name: "memory of 100 000 ready messages", Redis: true, Compare: metric}
	table.Contenders = peers(map[string]float64{"asynq": 2}, memorySize, nil)
	for i := range table.Contenders {
		table.Contenders[i].Open = func(_ context.Context, env *frame.Env) (frame.Cell, error) {
			opts, err := redis.ParseURL(env.RedisURL)
			if err != nil {
				return frame.Cell{}, errors.New("not a URL of a Redis server")
			}
			rdb := redis.NewClient(opts)
			return frame.Cell{Run: measureMemory(rdb, i, metric), Close: func() { _ = rdb.Close() }}, nil
		}
	}
	return table
}

// measureMemory fills an empty server with the messages of contender i.
func measureMemory(rdb *redis.Client, i int, metric string) func(context.Context, int, *frame.Meter) error {
	openers := []opener{openCohort, openAsynq, openRMQ, openWatermill}
	return func(ctx context.Context, n int, m *frame.Meter) error {
		if err := rdb.FlushAll(ctx).Err(); err != nil {
			return err
		}
		s, err := openers[i](ctx, rdb)
		if err != nil {
			return err
		}
		defer s.close()
		before, err := used(ctx, rdb)
		if err != nil {
			return err
		}
		if err := putAll(ctx, s, n); err != nil {
			return err
		}
		after, err := settled(ctx, rdb)
		if err != nil {
			return err
		}
		m.Metric(metric, float64(after-before)/float64(n))
		return nil
	}
}

// settled is what is used once buffers have shrunk and tables are rehashed: when
// it is the same for half a second, at the latest after five.
func settled(ctx context.Context, rdb *redis.Client) (int64, error) {
	last, same := int64(0), 0
	for range 50 {
		now, err := used(ctx, rdb)
		if err != nil {
			return 0, err
		}
		if same++; now != last {
			last, same = now, 0
		}
		if same == 5 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return last, nil
}

func used(ctx context.Context, rdb *redis.Client) (int64, error) {
	info, err := rdb.Info(ctx, "memory").Result()
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "used_memory:"); ok {
			return strconv.ParseInt(v, 10, 64)
		}
	}
	return 0, errors.New("INFO has no used_memory")
}
