package cohort

import (
	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/workerid"
)

// Hooks observe the areas of a Node. Every field may be nil or zero. The packages
// cacheotel, pubsubotel, lockotel, queueotel and workeridotel make them for
// OpenTelemetry.
type Hooks struct {
	// Cache and Queue are asked once for each name.
	Cache  func(name string) *cache.Hooks
	Queue  func(name string) queue.Hooks
	PubSub *pubsub.Hooks
	Lock   lock.Hooks
	Worker workerid.Hooks
}

func (h Hooks) cache(name string) *cache.Hooks {
	if h.Cache == nil {
		return nil
	}
	return h.Cache(name)
}

func (h Hooks) queue(name string) queue.Hooks {
	if h.Queue == nil {
		return queue.Hooks{}
	}
	return h.Queue(name)
}
