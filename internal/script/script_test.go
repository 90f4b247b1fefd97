package script_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/script"
)

const add = `return redis.call('INCRBY', KEYS[1], ARGV[1])`

func client(t *testing.T) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestRunSurvivesFlush(t *testing.T) {
	c, s := client(t), script.New(add)
	for want := 1; want <= 3; want++ {
		got, err := s.Run(t.Context(), c, []string{"n"}, 1).Int()
		if err != nil || got != want {
			t.Fatalf("got %d, %v, want %d", got, err, want)
		}
		c.ScriptFlush(t.Context())
	}
}

func TestExecSendsUnknownScriptsAgain(t *testing.T) {
	c := client(t)
	known, unknown := script.New(add), script.New(add+" + 100")
	if err := known.Run(t.Context(), c, []string{"n"}, 1).Err(); err != nil {
		t.Fatal(err)
	}
	var results []*redis.Cmd
	var set *redis.StatusCmd
	cmds, err := script.Exec(t.Context(), c, func(p redis.Pipeliner) {
		results = append(results, known.Queue(t.Context(), p, []string{"n"}, 1))
		set = p.Set(t.Context(), "other", "x", 0)
		results = append(results, unknown.Queue(t.Context(), p, []string{"n"}, 1))
		results = append(results, known.Queue(t.Context(), p, []string{"n"}, 1))
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(cmds) != 4 || set.Err() != nil {
		t.Errorf("%d commands, SET: %v", len(cmds), set.Err())
	}
	var got []int
	for _, cmd := range results {
		n, err := cmd.Int()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n)
	}
	if want := []int{2, 104, 3}; !slices.Equal(got, want) { // the unknown one runs last
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestExecReportsTheFirstError(t *testing.T) {
	c := client(t)
	bad := script.New(`return redis.error_reply('BAD reply')`)
	var ok *redis.Cmd
	_, err := script.Exec(t.Context(), c, func(p redis.Pipeliner) {
		bad.Queue(t.Context(), p, []string{"n"})
		ok = script.New(add).Queue(t.Context(), p, []string{"n"}, 1)
	})
	if err == nil || err.Error() != "BAD reply" {
		t.Errorf("got %v", err)
	}
	if ok.Err() != nil {
		t.Errorf("the other script: %v", ok.Err())
	}
}

func TestExecOnClosedClient(t *testing.T) {
	c := client(t)
	_ = c.Close()
	_, err := script.Exec(t.Context(), c, func(p redis.Pipeliner) {
		script.New(add).Queue(t.Context(), p, []string{"n"}, 1)
	})
	if !errors.Is(err, redis.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestEvalInTransaction(t *testing.T) {
	c, s := client(t), script.New(add)
	tx := c.TxPipeline()
	result := s.Eval(t.Context(), tx, []string{"n"}, 5)
	if _, err := tx.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := result.Int(); n != 5 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestRunOnSurvivesFlush(t *testing.T) {
	c, s := client(t), script.New(add)
	keys := script.NewKeys("n")
	for want := 1; want <= 3; want++ {
		got, err := s.RunOn(t.Context(), c, keys, 1).Int()
		if err != nil || got != want {
			t.Fatalf("got %d, %v, want %d", got, err, want)
		}
		c.ScriptFlush(t.Context())
	}
}
