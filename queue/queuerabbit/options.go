package queuerabbit

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/queue"
)

// Options tune a Queue. The zero value of each field means its default. All
// processes must use the same for a queue: what exists otherwise is
// queue.ErrTopologyMismatch.
type Options struct {
	queue.Options

	// Namespace prefixes all queues and exchanges. Default "cohort".
	Namespace string
	// Ordered has one message at a time worked on in the whole cluster, in the order
	// of Enqueue. Retries wait in the worker.
	Ordered bool
	// MaxLen bounds the messages that are ready; more are queue.ErrQueueFull. 0 = no
	// bound.
	MaxLen int
	// MaxRun is the longest time for which the broker waits for a message to be
	// settled before it ends the channel. It must exceed every Timeout. Default 24 h.
	MaxRun time.Duration
}

// maxName keeps the names of queues below AMQP's 255 bytes.
const maxName = 150

func (o Options) withDefaults(name string) (Options, error) {
	var errs []error
	if err := rediskey.Namespace(o.Namespace); err != nil {
		errs = append(errs, err)
	}
	if o.MaxLen < 0 || o.MaxRun < 0 {
		errs = append(errs, fmt.Errorf("%w: MaxLen is %d, MaxRun is %v", queue.ErrInvalid, o.MaxLen, o.MaxRun))
	}
	if name == "" || len(encode(name)) > maxName {
		errs = append(errs, fmt.Errorf("%w: name of %d bytes, %d with what is escaped, want 1 to %d",
			queue.ErrInvalid, len(name), len(encode(name)), maxName))
	}
	if o.Namespace == "" {
		o.Namespace = rediskey.DefaultNamespace
	}
	if o.OpTimeout == 0 {
		o.OpTimeout = 5 * time.Second
	}
	if o.MaxRun == 0 {
		o.MaxRun = 24 * time.Hour
	}
	return o, errors.Join(errs...)
}

// encode writes name with letters, digits, underscore and hyphen only; everything
// else is an escaped byte. It is one word of a routing key.
func encode(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}
