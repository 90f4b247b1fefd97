package queuerabbit

import (
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/queue"
)

// Errors that the queue's own do not cover. Test for them with errors.Is.
var (
	// ErrBlocked reports that the broker stops publishers, for lack of memory or
	// disk. It comes with queue.ErrUncertain if the message had been sent.
	ErrBlocked = errors.New("the broker blocks publishers")
	// ErrUnroutable reports a message that no queue took although its queue had
	// been declared.
	ErrUnroutable = errors.New("no queue took the message")
	// ErrVersion reports a broker older than 4.0.
	ErrVersion = errors.New("RabbitMQ 4.0 or newer is needed")
	// errClosedConn reports use of a closed Conn.
	errClosedConn = fmt.Errorf("connection of queuerabbit: %w", queue.ErrClosed)
)

// permanent reports whether err stays however often it is tried.
func permanent(err error) bool {
	if errors.Is(err, ErrVersion) || errors.Is(err, queue.ErrTopologyMismatch) || errors.Is(err, queue.ErrClosed) {
		return true
	}
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && (e.Code == amqp.AccessRefused || e.Code == amqp.NotAllowed)
}
