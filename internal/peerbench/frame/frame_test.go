package frame_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// sleeper is a contender that takes d for each operation.
func sleeper(name string, d time.Duration, must float64) frame.Contender {
	return frame.Contender{Name: name, Must: must, Open: func(context.Context, *frame.Env) (frame.Cell, error) {
		return frame.Cell{Run: func(_ context.Context, n int, m *frame.Meter) error {
			for range n {
				time.Sleep(d)
				m.Observe(d)
			}
			m.Metric("naps", float64(n))
			return nil
		}}, nil
	}}
}

func TestReport(t *testing.T) {
	area := frame.Area{Name: "naps", Tables: []frame.Table{{
		Name: "one nap", Compare: "p50 ms", Note: "Sleeping is fair.",
		Contenders: []frame.Contender{sleeper("cohort", time.Millisecond, 0), sleeper("slow", 4*time.Millisecond, 2), sleeper("fast", time.Millisecond, 2)},
	}}}
	result, err := frame.Measure(t.Context(), area, frame.Options{Rounds: 3, Round: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	report := frame.Report{Head: frame.NewHead([]frame.Area{area}, ""), Areas: []frame.AreaResult{result}}
	if missed := report.Missed(); len(missed) != 1 || !strings.Contains(missed[0], "fast is 1×, must be ≥ 2×") {
		t.Errorf("Missed = %q, want fast alone", missed)
	}
	var table, data strings.Builder
	if err := report.Markdown(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"naps: one nap", "| slow |", "4× | ≥ 2×", "1× | ≥ 2× **missed**", "Sleeping is fair."} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("%q is not in\n%s", want, table.String())
		}
	}
	if err := report.JSON(&data); err != nil || !json.Valid([]byte(data.String())) {
		t.Errorf("JSON: %v\n%s", err, data.String())
	}
}

// TestRedis counts commands, and calls inside a script apart from them.
func TestRedis(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil && os.Getenv("COHORT_TEST_SERVERS") == "" {
		t.Skip("tier 1: no redis-server; set COHORT_TEST_SERVERS")
	}
	server, err := frame.OpenServer(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	two := frame.Contender{Name: "two", Operations: 50, Open: func(_ context.Context, env *frame.Env) (frame.Cell, error) {
		opts, err := redis.ParseURL(env.RedisURL)
		if err != nil {
			return frame.Cell{}, err
		}
		client := redis.NewClient(opts)
		return frame.Cell{
			Run: frame.Each(func(ctx context.Context) error {
				if err := client.Incr(ctx, "n").Err(); err != nil {
					return err
				}
				return client.Eval(ctx, "redis.call('GET', KEYS[1]) redis.call('GET', KEYS[1]) return redis.call('GET', KEYS[1])", []string{"n"}).Err()
			}),
			Close: func() { _ = client.Close() },
		}, nil
	}}
	area := frame.Area{Name: "two", Tables: []frame.Table{{Name: "two", Redis: true, Contenders: []frame.Contender{two}}}}
	opts := frame.Options{Rounds: 2, Server: server, Env: frame.Env{RedisURL: server.URL()}}
	result, err := frame.Measure(t.Context(), area, opts)
	if err != nil {
		t.Fatal(err)
	}
	figures := result.Tables[0].Rows[0].Median
	if figures["commands/op"] != 2 || figures["calls in scripts/op"] != 3 {
		t.Errorf("got %v, want 2 commands and 3 calls in scripts", figures)
	}
	if figures["Redis CPU µs/op"] <= 0 {
		t.Errorf("no CPU time: %v", figures)
	}
}
