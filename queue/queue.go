// Package queue hands jobs to workers and keeps each of them until it is done.
//
// A [Queue] delivers at least once: a message stays in the queue until its
// handler returned nil, failed for the last time, or somebody removed it. A
// worker holds a message by a lease; a worker that dies loses the lease and the
// message goes to another. Handlers may therefore see a message twice, and must
// tolerate it. Publishing needs no subscriber.
//
// The package holds everything that does not depend on where messages are
// stored: the worker loop with its retries, timeouts, heartbeats, concurrency
// and shutdown, batching of producers, schedules, and a memory backend. A
// [Backend] moves batches of messages between states and nothing more; package
// queueredis has one, and [New] takes yours. What a backend cannot do is missing
// from [Queue.Capabilities], and asking for it is [ErrUnsupported].
//
// Order: without a [Message.Key], messages of one priority start about in the
// order in which they became ready; with a Key they start exactly in that order,
// one at a time.
package queue

import (
	"context"
	"time"
)

// Queue is one named queue. All methods are safe for concurrent use.
//
// Queues of this package also implement [Inspector] and [Controller].
type Queue interface {
	// Enqueue stores m and returns its ID. A nil error means stored. It reports
	// [ErrDuplicate] (as *[DuplicateError], with the ID that is there already),
	// [ErrPayloadTooLarge], [ErrQueueFull], [ErrUnsupported], [ErrUncertain]
	// and [ErrClosed]. After ErrUncertain a Message with an ID may be enqueued
	// again without harm; one without may then be there twice.
	Enqueue(ctx context.Context, m Message) (ID, error)

	// EnqueueMany stores any number of messages, in order, and returns one
	// Result for each. The error joins what went wrong; nil means all are stored.
	EnqueueMany(ctx context.Context, messages []Message) ([]Result, error)

	// Consume calls h for each message until ctx ends or the Consumer or the
	// Queue is closed. It does not block.
	Consume(ctx context.Context, h Handler, opts ConsumeOptions) (*Consumer, error)

	// Receive waits until it can lease 1 to max messages, without a worker
	// loop: the caller ends each with [Delivery.Settle] or [Delivery.Release]
	// before its lease does. It reports [ErrPaused] at once.
	Receive(ctx context.Context, max int, lease time.Duration) ([]*Delivery, error)

	// Capabilities says what the backend can do. It never changes.
	Capabilities() Capabilities

	// Close stops the Consumers as [Consumer.Close] does and then the Queue.
	// Later calls report [ErrClosed]; a second Close waits for the first.
	Close(ctx context.Context) error
}

// Result is what became of one message of EnqueueMany.
type Result struct {
	ID  ID
	Err error
}
