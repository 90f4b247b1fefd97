package workerid_test

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/cohort-go/cohort/internal/testenv"
)

// TestHistoriesOnRedis is TestHistories with a real server, whose clock the test
// sets: 200 histories, 10 000 in the long form, or as many as -rapid.checks says.
func TestHistoriesOnRedis(t *testing.T) {
	server := testenv.Redis(t)
	plain, client := server.Client(t), server.Client(t)
	client.AddHook(timed{})
	setTime := func(to time.Time) {
		if err := plain.Set(t.Context(), timeKey, to.UnixMilli(), 0).Err(); err != nil {
			t.Error(err)
		}
	}
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		count := "200"
		if testenv.Long() {
			count = "10000"
		}
		_ = checks.Value.Set(count)
		defer func() { _ = checks.Value.Set(checks.DefValue) }()
	}
	rapid.Check(t, func(r *rapid.T) {
		h := newHistory(r)
		defer h.close()
		h.join(r, client, setTime)
		h.run(r)
	})
}

// timed is a hook that has scripts see the time that is stored under timeKey instead
// of the server's.
type timed struct{}

const (
	timeKey     = "time of the test"
	timedScript = `local server = redis
local redis = {
  call = function(command, ...)
    if command == 'TIME' then
      local ms = tonumber(server.call('GET', '` + timeKey + `'))
      return {tostring(math.floor(ms / 1000)), tostring(ms % 1000 * 1000)}
    end
    return server.call(command, ...)
  end,
  pcall = server.pcall,
}
`
)

func (timed) DialHook(next redis.DialHook) redis.DialHook { return next }

func (timed) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook lets no script through by its digest, which is that of the original.
func (timed) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		switch args := cmd.Args(); args[0] {
		case "evalsha":
			err := simError("NOSCRIPT No matching script")
			cmd.SetErr(err)
			return err
		case "eval":
			args[1] = timedScript + fmt.Sprint(args[1])
		}
		return next(ctx, cmd)
	}
}
