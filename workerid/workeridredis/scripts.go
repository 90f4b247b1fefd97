package workeridredis

import (
	"context"
	_ "embed" // for the scripts

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/script"
	"github.com/cohort-go/cohort/workerid"
)

var (
	//go:embed ledger.lua
	ledgerLua string
	//go:embed acquire.lua
	acquireLua string
	//go:embed renew.lua
	renewLua string
	//go:embed release.lua
	releaseLua string
	//go:embed holders.lua
	holdersLua string

	acquire = script.New(ledgerLua + acquireLua)
	renew   = script.New(ledgerLua + renewLua)
	release = script.New(ledgerLua + releaseLua)
	holders = script.New(holdersLua)
)

// terms returns the arguments that ledger.lua reads, and rest behind them.
func terms(t workerid.Terms, token, nonce string, rest ...any) []any {
	return append([]any{
		t.First, t.Count, t.TTL, t.Reach, t.Lead, t.Gap, t.Rounding, t.Skew, t.Fingerprint,
		token, nonce,
	}, rest...)
}

// run sends the script until the server has decided or ctx ends. It may run more
// than once: each decision is the same for a token that comes again.
func (b *Backend) run(ctx context.Context, s *script.Script, args []any) (reply, error) {
	var r reply
	err := redisconn.Retry(ctx, b.client, 0, func(ctx context.Context) error {
		list, err := s.Run(ctx, b.client, b.keys, args...).Slice()
		r = list
		return err
	})
	return r, err
}
