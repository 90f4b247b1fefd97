package workerid_test

import (
	"errors"
	"testing"

	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// A failover without a loss of data changes the server's identity and nothing else.
// TestOvertaken has renewals arrive after it that were held up while the number
// passed on: the ledger and the scripts tell the holder of now from those before.
func TestOvertaken(t *testing.T) {
	terms, err := simOptions().Terms()
	if err != nil {
		t.Fatal(err)
	}
	now := int64(1_700_000_000_000)
	ledger := workerid.NewLedger()
	sim := newSimRedis(func() int64 { return now })
	defer sim.state.Close()
	client := sim.client()
	defer client.Close()
	scripts, err := workeridredis.NewBackend(client, workeridredis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	failover := func() {
		sim.repID += "'"
		ledger.Now, ledger.Server = now, sim.repID
	}
	failover()
	for name, b := range map[string]workerid.Backend{"ledger": ledger, "scripts": scripts} {
		t.Run(name, func(t *testing.T) {
			request := func(token string) workerid.AcquireRequest {
				return workerid.AcquireRequest{Terms: terms, Token: token, Nonce: token + "-nonce", Wall: now, Preferred: 2}
			}
			renewal := func(g workerid.Grant, token string) workerid.RenewRequest {
				return workerid.RenewRequest{
					Terms: terms, ID: g.ID, Token: token, Known: []string{token + "-nonce"}, Nonce: token + "-next",
					Want: now + terms.Reach, Generation: g.Generation, Start: g.Start, Mark: g.Mark, Until: g.Expires,
				}
			}
			acquire := func(token string) workerid.Grant {
				g, err := b.Acquire(t.Context(), request(token))
				if err != nil {
					t.Fatal(err)
				}
				return g
			}
			release := func(g workerid.Grant, token string) {
				err := b.Release(t.Context(), workerid.ReleaseRequest{
					Terms: terms, ID: g.ID, Token: token, Known: []string{token + "-nonce"}, Epoch: g.Epoch, End: g.Start + simTick,
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			lost := func(what string, r workerid.RenewRequest) {
				if g, err := b.Renew(t.Context(), r); !errors.Is(err, workerid.ErrLost) {
					t.Errorf("%s: %+v, %v, want ErrLost", what, g, err)
				}
			}

			first := acquire("first")
			late := renewal(first, "first")
			release(first, "first")
			failover()
			lost("a holder that released", late)
			second := acquire("second")
			failover()
			lost("a holder whose number has passed on", late)
			if _, err := b.Renew(t.Context(), renewal(second, "second")); err != nil {
				t.Errorf("the holder of now: %v", err)
			}
		})
	}
}
