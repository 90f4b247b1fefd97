package pubsubredis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
	"github.com/cohort-go/cohort/pubsub/pubsubtest"
)

// The memory backend and Redis tell the subscriptions of one random history the
// same, Gaps included.
func TestMemoryAndRedisAgree(t *testing.T) {
	client := testenv.Redis(t).Client(t)
	for round := range 20 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			log, err := pubsub.NewMemoryLog(pubsub.MemoryOptions{MaxLen: 100_000})
			if err != nil {
				t.Fatal(err)
			}
			memory := pubsubtest.Env{
				Backend: func(testing.TB) pubsub.Backend { return log.Backend() },
				Trim:    func(_ testing.TB, keep int) { log.Trim(keep) },
				Lose:    func(testing.TB) { log.Lose() },
			}
			want := play(t, memory, rand.New(rand.NewPCG(seed, uint64(round))))
			got := play(t, env(redis.UniversalClient(client), pubsubredis.Options{})(t), rand.New(rand.NewPCG(seed, uint64(round))))
			for i := range want {
				if !slices.Equal(got[i], want[i]) {
					t.Errorf("subscription %d: Redis told %q, memory %q", i, got[i], want[i])
				}
			}
		})
	}
}

// history is a random run on three nodes.
type history struct {
	testing.TB

	env    pubsubtest.Env
	rand   *rand.Rand
	nodes  []pubsub.PubSub
	subs   []pubsub.Subscription
	logs   []*seen
	places []pubsub.Position
	sent   int
}

// play returns what each subscription was told.
func play(t testing.TB, env pubsubtest.Env, r *rand.Rand) [][]string {
	h := &history{TB: t, env: env, rand: r}
	for range 3 {
		n, err := pubsub.NewNode(env.Backend(t), pubsub.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close(context.WithoutCancel(t.Context()))
		h.nodes = append(h.nodes, n)
	}
	h.subscribe(pubsub.New())
	h.publish() // from here on settle has something to wait for
	h.settle()
	for range 40 {
		switch h.rand.IntN(12) {
		case 0:
			h.subscribe(pubsub.New())
		case 1:
			h.subscribe(pubsub.All())
		case 2:
			if len(h.places) > 0 {
				h.subscribe(pubsub.After(h.places[h.rand.IntN(len(h.places))]))
			}
		case 3:
			env.Trim(t, h.rand.IntN(4))
		case 4:
			env.Lose(t)
			h.places = nil
			h.publish()
		default:
			h.publish()
		}
		h.settle()
	}
	var told [][]string
	for _, log := range h.logs {
		told = append(told, log.all())
	}
	return told
}

func (h *history) subscribe(from pubsub.From) {
	patterns := []string{"a", "b", "a.x", "a.*", "*", ">"}
	o := pubsub.SubscribeOptions{
		From:     from,
		SkipSelf: h.rand.IntN(4) == 0,
		Policy:   pubsub.Policy(h.rand.IntN(2)),
		Retry:    pubsub.Retry{Base: time.Millisecond},
	}
	s := &seen{news: make(chan struct{}, 1)}
	o.OnGap = func(_ context.Context, g pubsub.Gap) error {
		s.add(fmt.Sprintf("gap %v %d", g.Reason, g.Missed))
		return nil
	}
	n := h.nodes[h.rand.IntN(len(h.nodes))]
	sub, err := n.Subscribe(h.Context(), patterns[h.rand.IntN(len(patterns))], func(_ context.Context, d *pubsub.Delivery) error {
		s.add(d.Channel + ":" + string(d.Payload))
		return nil
	}, o)
	if err != nil {
		h.Fatal(err)
	}
	h.subs, h.logs = append(h.subs, sub), append(h.logs, s)
}

func (h *history) publish() {
	channels := []string{"a", "b", "a.x", "a.y", "c"}
	messages := make([]pubsub.Message, 1+h.rand.IntN(5))
	for i := range messages {
		h.sent++
		messages[i] = pubsub.Message{
			Channel: channels[h.rand.IntN(len(channels))], Payload: []byte(strconv.Itoa(h.sent)),
			SkipSelf: h.rand.IntN(5) == 0,
		}
	}
	receipts, err := h.nodes[h.rand.IntN(len(h.nodes))].Publish(h.Context(), messages...)
	if err != nil {
		h.Fatal(err)
	}
	for _, r := range receipts {
		h.places = append(h.places, r.Position)
	}
}

// settle waits until every subscription has handled all that was published.
func (h *history) settle() {
	if len(h.places) == 0 {
		return
	}
	for _, sub := range h.subs {
		if err := sub.WaitFor(h.Context(), h.places[len(h.places)-1]); err != nil {
			h.Fatal(err)
		}
	}
}
