package queue

import (
	"errors"
	"fmt"
	"time"
)

// Message is one job. Only Payload is usual; the zero value of every other field
// means its default.
type Message struct {
	// ID makes Enqueue idempotent: while the message exists, and for
	// Options.DedupeFor after its end, the same ID is ErrDuplicate. Zero means a
	// random ID, which is not remembered.
	ID ID
	// Kind says which handler of a Mux takes the message. At most 255 bytes.
	Kind string
	// Payload is the job, up to Options.MaxPayload bytes.
	Payload []byte
	// Header carries what belongs to the message but not to the job, as a
	// traceparent. It counts towards MaxPayload.
	Header map[string]string

	// Delay keeps the message back for that long by the store's clock, At until
	// that time. Only one of them may be set.
	Delay time.Duration
	At    time.Time

	// Priority is strict: a message starts before all of a lower one.
	Priority Priority
	// Key orders messages: those with the same Key start one at a time, in the
	// order in which they first became ready. A retry keeps its place. At most
	// 255 bytes.
	Key string
	// Unique refuses a second message with the same unique key.
	Unique Unique

	// TTL, by the store's clock, and Deadline bound the wait for a start: an
	// expired message is dropped and counted when its turn comes. Only one of
	// them may be set.
	TTL      time.Duration
	Deadline time.Time
	// Timeout bounds one run of the handler. Zero means ConsumeOptions.Timeout.
	Timeout time.Duration
	// MaxAttempts is how often the message may fail before it is dead, at most
	// 255. Default 25.
	MaxAttempts int
	// Retain keeps a finished message, and its result, readable by Get for that
	// long.
	Retain time.Duration
}

// Unique claims a unique key for a message.
type Unique struct {
	// Key is what must be unique. Empty means no such claim. At most 255 bytes.
	Key string
	// TTL ends the claim at the latest, counted from Enqueue. Default 24 h.
	TTL time.Duration
	// Until says when the message gives the key back by itself.
	Until Until
}

// Until is the moment at which a message gives up its unique key.
type Until uint8

// A unique key is free again once its message ended (UntilDone) or once its
// first run began (UntilStart).
const (
	UntilDone Until = iota
	UntilStart
)

// Priority is one of four levels. The zero value is PriorityNormal.
type Priority int8

// The priorities. A lower one starts only when no message of a higher one is
// ready.
const (
	PriorityLow Priority = iota - 1
	PriorityNormal
	PriorityHigh
	PriorityUrgent
)

// Defaults and limits of a Message.
const (
	DefaultMaxAttempts = 25
	DefaultUniqueTTL   = 24 * time.Hour
	maxAttempts        = 255
	maxName            = 255
)

// Envelope is a Message that was checked and has its defaults: what a Backend
// stores.
type Envelope struct {
	Message
	// Given tells that the caller chose the ID, so that it must be remembered.
	Given bool
}

// size is what the message weighs in a batch.
func (m *Message) size() int {
	n := len(m.Payload) + len(m.Kind) + len(m.Key) + len(m.Unique.Key)
	for k, v := range m.Header {
		n += len(k) + len(v)
	}
	return n
}

// envelope checks m and fills in its defaults.
func (m Message) envelope(maxPayload int) (Envelope, error) {
	e := Envelope{Message: m, Given: !m.ID.IsZero()}
	if err := m.check(maxPayload); err != nil {
		return e, err
	}
	if !e.Given {
		e.ID = NewID()
	}
	if e.MaxAttempts == 0 {
		e.MaxAttempts = DefaultMaxAttempts
	}
	if e.Unique.Key != "" && e.Unique.TTL == 0 {
		e.Unique.TTL = DefaultUniqueTTL
	}
	return e, nil
}

func (m *Message) check(maxPayload int) error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...))
		}
	}
	if n := m.size(); n > maxPayload {
		errs = append(errs, fmt.Errorf("%w: %d bytes, at most %d", ErrPayloadTooLarge, n, maxPayload))
	}
	refuse(len(m.Kind) > maxName, "Kind is longer than %d bytes", maxName)
	refuse(len(m.Key) > maxName, "Key is longer than %d bytes", maxName)
	refuse(len(m.Unique.Key) > maxName, "Unique.Key is longer than %d bytes", maxName)
	refuse(m.Delay < 0 || m.TTL < 0 || m.Timeout < 0 || m.Retain < 0 || m.Unique.TTL < 0, "a duration is negative")
	refuse(m.Delay > 0 && !m.At.IsZero(), "Delay and At are both set")
	refuse(m.TTL > 0 && !m.Deadline.IsZero(), "TTL and Deadline are both set")
	refuse(m.Priority < PriorityLow || m.Priority > PriorityUrgent, "Priority is %d", m.Priority)
	refuse(m.MaxAttempts < 0 || m.MaxAttempts > maxAttempts, "MaxAttempts is %d, at most %d", m.MaxAttempts, maxAttempts)
	refuse(m.Unique.Key == "" && m.Unique != Unique{}, "Unique has no Key")
	refuse(m.Unique.Until > UntilStart, "Unique.Until is %d", m.Unique.Until)
	return errors.Join(errs...)
}

// needs returns the abilities that the message asks of a backend.
func (e *Envelope) needs() Capability {
	var need Capability
	add := func(wanted bool, c Capability) {
		if wanted {
			need |= c
		}
	}
	add(e.Given, CanDeduplicate)
	add(e.Delay > 0 || !e.At.IsZero(), CanDelay)
	add(e.Priority != PriorityNormal, CanPrioritize)
	add(e.Key != "", CanOrderKeys)
	add(e.Unique.Key != "", CanUnique)
	add(e.TTL > 0 || !e.Deadline.IsZero(), CanExpire)
	add(e.Retain > 0, CanRecord)
	return need
}
