package pubsubtest

import (
	"strings"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

func inspect(r *run) {
	if _, ok := r.env.Backend(r).(pubsub.InspectBackend); !ok {
		r.Skip("the backend cannot be inspected")
	}
	a, b := r.node(pubsub.Options{Name: "busy"}), r.node(pubsub.Options{Name: "idle"})
	if info := r.inspected(b); info.Stored != 0 || info.Kept != 0 || !info.Newest.IsZero() || len(info.Nodes) != 0 {
		r.Errorf("nothing has happened: %+v", info)
	}
	r.subscribe(a, "inspect", pubsub.SubscribeOptions{})
	before := r.inspected(b).Now
	r.publish(a, "inspect", numbers(0, 5)...)
	info := r.inspected(b)
	if info.Stored != 5 || info.Kept != 5 {
		r.Errorf("%d stored and %d kept, want 5", info.Stored, info.Kept)
	}
	// The newest was stored, and the node heard of, between two looks at the clock.
	if info.Newest.Before(before.Truncate(time.Millisecond)) || info.Newest.After(info.Now) {
		r.Errorf("newest at %v, not between %v and %v", info.Newest, before, info.Now)
	}
	if len(info.Nodes) != 1 || !strings.HasPrefix(info.Nodes[0].Name, "busy-") ||
		info.Nodes[0].Heard.After(info.Now) || info.Now.Sub(info.Nodes[0].Heard) > patience {
		r.Errorf("listeners at %v: %+v, want the busy one", info.Now, info.Nodes)
	}
}

// inspected returns the state of the bus of the case.
func (r *run) inspected(ps pubsub.PubSub) pubsub.BusInfo {
	r.Helper()
	list, err := ps.(pubsub.Inspector).Inspect(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	if n, ok := ps.(interface{ BusOf(channel string) int }); ok {
		return list[n.BusOf("inspect")]
	}
	return list[0]
}
