package pubsubredis

import (
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/pubsub"
)

// Options tune a PubSub. The zero value of each field means its default.
type Options struct {
	pubsub.Options

	// Namespace comes before every key. Default "cohort".
	Namespace string
	// Bus is the name that nodes must share to see each other's messages. Default
	// "main".
	Bus string
	// Buses is the number of logs among which channels are divided, each with an
	// order and a subscribed connection of its own. All nodes must have the same.
	// Default 1.
	Buses int
	// MaxLen is about how many messages each bus keeps. Default 100 000.
	MaxLen int64
	// MaxAge is about how long a bus keeps a message, -1 for as long as MaxLen
	// allows. Default 24 h.
	MaxAge time.Duration
	// ReplicaTimeout bounds the wait for Message.Replicas. Default 1 s.
	ReplicaTimeout time.Duration
	// Tail waits by XREAD BLOCK in place of a subscription, for servers whose
	// access rules forbid SUBSCRIBE.
	Tail bool
}

func (o Options) withDefaults() (Options, error) {
	if o.Bus == "" {
		o.Bus = "main"
	}
	if o.Buses == 0 {
		o.Buses = 1
	}
	if o.MaxLen == 0 {
		o.MaxLen = 100_000
	}
	if o.MaxAge == 0 {
		o.MaxAge = 24 * time.Hour
	}
	if o.ReplicaTimeout == 0 {
		o.ReplicaTimeout = time.Second
	}
	if o.OpTimeout == 0 {
		o.OpTimeout = 5 * time.Second
	}
	errs := []error{rediskey.Namespace(o.Namespace)}
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(o.Buses >= 1 && o.Buses <= 1024, "Buses is %d, want 1 to 1024", o.Buses)
	check(o.MaxLen > 0, "MaxLen is %d, want 0 or more", o.MaxLen)
	check(o.MaxAge > 0 || o.MaxAge == -1, "MaxAge is %v, want 0 or more, or -1", o.MaxAge)
	check(o.ReplicaTimeout >= time.Millisecond, "ReplicaTimeout is %v, want at least 1ms", o.ReplicaTimeout)
	return o, errors.Join(errs...)
}
