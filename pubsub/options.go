package pubsub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Options tune a PubSub. The zero value of each field means its default.
type Options struct {
	// Name is how Barrier, Delivery and the logs call this node; a random part is
	// added. Default "node".
	Name string
	// MaxPayload is the size in bytes above which a message, payload, key and
	// headers together, is refused. Default 1 MiB.
	MaxPayload int
	// PublishQueue is how many messages may wait to be sent, per bus; Publish
	// blocks while more do. Default 4096.
	PublishQueue int
	// OpTimeout bounds the sending of one batch of messages, repeats included.
	// Default 5 s.
	OpTimeout time.Duration
	// Logger receives what has no other place: a handler's failure without
	// OnError, a Gap without OnGap. Default: discard.
	Logger *slog.Logger
	// Hooks observe the PubSub.
	Hooks *Hooks
}

func (o Options) withDefaults() (Options, error) {
	var errs []error
	atLeast := func(name string, v, least int64) {
		if v < least {
			errs = append(errs, fmt.Errorf("%s is %d, want %d or more", name, v, least))
		}
	}
	setDefault(&o.Name, "node")
	setDefault(&o.MaxPayload, 1<<20)
	setDefault(&o.PublishQueue, 4096)
	setDefault(&o.OpTimeout, 5*time.Second)
	atLeast("MaxPayload", int64(o.MaxPayload), 1)
	atLeast("PublishQueue", int64(o.PublishQueue), 1)
	atLeast("OpTimeout", int64(o.OpTimeout), 1)
	if len(o.Name) > 128 {
		errs = append(errs, fmt.Errorf("Name has %d bytes, want at most 128", len(o.Name)))
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, errors.Join(errs...)
}

func setDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// Policy says what a subscription does when its queue is full.
type Policy int

const (
	// DropIntoGap empties the queue into one Gap with GapOverflow. Default.
	DropIntoGap Policy = iota
	// Block misses nothing as long as the log has it: the subscription leaves the
	// live feed and reads the log at its own pace until it has caught up.
	Block
)

// SubscribeOptions tune one subscription. The zero value of each field means its
// default.
type SubscribeOptions struct {
	// OnGap is called, in its place between two messages, when some were missed.
	// An error is treated as one of the handler. Default: the Gap is logged.
	OnGap func(ctx context.Context, g Gap) error
	// From is where to begin. Default: New.
	From From
	// SkipSelf leaves out messages of this node, OnlySelf those of all others.
	SkipSelf, OnlySelf bool
	// Coalesce puts messages together that come in quick succession. Default:
	// none.
	Coalesce Coalesce
	// QueueSize is how many messages may wait for the handler. Default 1024.
	QueueSize int
	// Policy is what happens when more would. Default DropIntoGap.
	Policy Policy
	// Retry says how often a failing handler is called again. Default: not at all.
	Retry Retry
	// OnError is called when the handler or OnGap failed for good; the
	// subscription goes on. m is nil for OnGap. Default: the error is logged.
	OnError func(m *Delivery, err error)
}

// Retry repeats a failing handler. All later messages of the subscription wait.
type Retry struct {
	// Attempts is the number of further calls.
	Attempts int
	// Base is the first wait, doubled each time up to Max. Default 50 ms and 5 s.
	Base, Max time.Duration
}

// From is where a subscription begins. The zero value is New.
type From struct {
	kind  fromKind
	after Position
}

type fromKind int

const (
	fromNew fromKind = iota
	fromAll
	fromAfter
)

// New begins with messages published after Subscribe returned.
func New() From { return From{} }

// All begins with the oldest message that the log still has.
func All() From { return From{kind: fromAll} }

// After begins after p. What the log no longer has is reported as a Gap.
func After(p Position) From { return From{kind: fromAfter, after: p} }

func (o SubscribeOptions) withDefaults() (SubscribeOptions, error) {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	setDefault(&o.QueueSize, 1024)
	setDefault(&o.Retry.Base, 50*time.Millisecond)
	setDefault(&o.Retry.Max, 5*time.Second)
	check(o.QueueSize > 0, "QueueSize is %d, want 1 or more", o.QueueSize)
	check(o.Policy == DropIntoGap || o.Policy == Block, "Policy is %d, want DropIntoGap or Block", o.Policy)
	check(!o.SkipSelf || !o.OnlySelf, "both SkipSelf and OnlySelf")
	check(o.Retry.Attempts >= 0, "Retry.Attempts is %d, want 0 or more", o.Retry.Attempts)
	check(o.Retry.Base > 0 && o.Retry.Max >= o.Retry.Base, "Retry waits %v to %v", o.Retry.Base, o.Retry.Max)
	var err error
	o.Coalesce, err = o.Coalesce.withDefaults()
	return o, errors.Join(append(errs, err)...)
}
