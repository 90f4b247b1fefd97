package queuerabbit

import (
	"fmt"
	"math"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/queue"
)

// What a message carries beside its properties.
const (
	headUser     = "cohort-header"   // table: Message.Header
	headMax      = "cohort-max"      // MaxAttempts, unless it is the default
	headTimeout  = "cohort-timeout"  // ms
	headEnqueued = "cohort-enqueued" // Unix ms
	headFailures = "cohort-failures"
	headReason   = "cohort-reason" // of the last failure
	headRest     = "cohort-rest"   // ms of a delay that is left after the ladder
	headDied     = "cohort-died"   // Unix ms

	headCount = "x-delivery-count" // the broker's
)

// publishing is e as AMQP has it.
func publishing(e *queue.Envelope, now time.Time) amqp.Publishing {
	p := amqp.Publishing{
		MessageId: e.ID.String(), Type: e.Kind, Body: e.Payload, DeliveryMode: amqp.Persistent,
		Headers: amqp.Table{headEnqueued: now.UnixMilli()},
	}
	if e.MaxAttempts != queue.DefaultMaxAttempts {
		p.Headers[headMax] = int32(e.MaxAttempts)
	}
	if len(e.Header) > 0 {
		user := amqp.Table{}
		for k, v := range e.Header {
			user[k] = v
		}
		p.Headers[headUser] = user
	}
	if e.Timeout > 0 {
		p.Headers[headTimeout] = e.Timeout.Milliseconds()
	}
	return p
}

// copied is a delivery as it is published again: its properties, and its headers
// without those of the broker.
func copied(d *amqp.Delivery) amqp.Publishing {
	headers := amqp.Table{}
	for k, v := range d.Headers {
		if len(k) < 2 || k[:2] != "x-" {
			headers[k] = v
		}
	}
	return amqp.Publishing{
		Headers: headers, ContentType: d.ContentType, ContentEncoding: d.ContentEncoding,
		DeliveryMode: amqp.Persistent, MessageId: d.MessageId, Type: d.Type, Body: d.Body,
	}
}

// claimed reads a delivery. Messages of other programs have defaults for what they lack.
func claimed(d *amqp.Delivery) (queue.Claimed, error) {
	c := queue.Claimed{Attempt: int(number(d.Headers, headFailures)) + 1}
	id, err := queue.ParseID(d.MessageId)
	if err != nil {
		id = foreignID(d)
	}
	c.ID, c.Kind, c.Payload = id, d.Type, d.Body
	c.MaxAttempts = int(number(d.Headers, headMax))
	if c.MaxAttempts <= 0 {
		c.MaxAttempts = queue.DefaultMaxAttempts
	}
	c.Timeout = time.Duration(number(d.Headers, headTimeout)) * time.Millisecond
	if ms := number(d.Headers, headEnqueued); ms > 0 {
		c.EnqueuedAt = time.UnixMilli(ms)
	}
	if user, ok := d.Headers[headUser].(amqp.Table); ok {
		c.Header = make(map[string]string, len(user))
		for k, v := range user {
			text, ok := v.(string)
			if !ok {
				return c, fmt.Errorf("header %q is a %T", k, v)
			}
			c.Header[k] = text
		}
	}
	return c, nil
}

// foreignID is the ID of a message of another program: that of its own, or else of
// its content.
func foreignID(d *amqp.Delivery) queue.ID {
	if d.MessageId != "" {
		return queue.IDOf(d.MessageId)
	}
	return queue.IDOf(fmt.Sprint(number(d.Headers, headDied), " ", d.Timestamp.Unix(), " ", string(d.Body)))
}

// number reads a header that is an integer of any width; 0 for another.
func number(t amqp.Table, name string) int64 {
	switch v := t[name].(type) {
	case int64:
		return v
	case int32:
		return int64(v)
	case int16:
		return int64(v)
	case int8:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint64:
		return int64(min(v, math.MaxInt64))
	}
	return 0
}
