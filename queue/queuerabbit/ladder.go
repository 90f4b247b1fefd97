package queuerabbit

import (
	"errors"
	"fmt"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The ladder: level K keeps a message for 2^K grains if bit K of its delay is set,
// and passes it on otherwise, down to the exit. Every queue of a level has one TTL,
// so that no message waits behind one that is due later.
const (
	argLimit = "x-delivery-limit"

	grain  = 100 * time.Millisecond
	levels = 22 // 4.8 days; what is due later walks it again
)

// maxDelay is the longest walk.
const maxDelay = (1<<levels - 1) * grain

// walk returns the exchange at which a delay begins, its routing key, and what is left
// of the delay after the walk. Delays are rounded up.
func (n *names) walk(d time.Duration) (exchange, key string, rest time.Duration) {
	walked := min(d, maxDelay)
	units := uint64((walked + grain - 1) / grain)
	var b strings.Builder
	for k := levels - 1; k >= 0; k-- {
		b.WriteByte('0' + byte(units>>k&1))
		b.WriteByte('.')
	}
	b.WriteString(n.word)
	return n.level(levels - 1), b.String(), d - walked
}

func (n *names) level(k int) string {
	if k < 0 {
		return n.out
	}
	return fmt.Sprint(n.ladder, k)
}

// binding is the pattern of the keys whose bit k has the value.
func binding(k int, bit string) string {
	return strings.Repeat("*.", levels-1-k) + bit + ".#"
}

// declareLadder declares the levels from the exit up, and binds the queue to the exit.
func (s *store) declareLadder(ch *amqp.Channel) error {
	n := &s.names
	// what no queue takes at the exit goes to limbo: at-least-once dead lettering of a
	// level would stop at it for three minutes otherwise
	err := errors.Join(
		ch.ExchangeDeclare(n.limbo, "fanout", true, false, false, false, nil),
		quorumQueue(ch, n.limbo, amqp.Table{argLimit: int64(-1)}),
		ch.QueueBind(n.limbo, "", n.limbo, false, nil),
		ch.ExchangeDeclare(n.out, "topic", true, false, false, false, amqp.Table{"alternate-exchange": n.limbo}),
		ch.QueueBind(n.main, "#."+n.word, n.out, false, nil),
	)
	for k := 0; k < levels && err == nil; k++ {
		err = errors.Join(
			ch.ExchangeDeclare(n.level(k), "topic", true, false, false, false, nil),
			quorumQueue(ch, n.level(k), amqp.Table{
				"x-message-ttl": (grain << k).Milliseconds(), "x-overflow": "reject-publish",
				"x-dead-letter-exchange": n.level(k - 1), "x-dead-letter-strategy": "at-least-once",
				argLimit: int64(-1),
			}),
			ch.QueueBind(n.level(k), binding(k, "1"), n.level(k), false, nil),
			ch.ExchangeBind(n.level(k-1), binding(k, "0"), n.level(k), false, nil),
		)
	}
	return err
}

func quorumQueue(ch *amqp.Channel, name string, args amqp.Table) error {
	args["x-queue-type"] = "quorum"
	_, err := ch.QueueDeclare(name, true, false, false, false, args)
	return err
}
