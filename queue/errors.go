package queue

import "errors"

// Errors of this package. Test for them with errors.Is; the [OpError] around
// them names the operation and the queue.
var (
	// ErrClosed reports use of a Queue or Consumer after Close.
	ErrClosed = errors.New("queue closed")
	// ErrDuplicate reports a message whose ID or unique key is taken; see
	// DuplicateError for the message that has it.
	ErrDuplicate = errors.New("duplicate message")
	// ErrNotFound reports an ID that the queue does not hold.
	ErrNotFound = errors.New("no such message")
	// ErrLeaseLost reports that a message is no longer held by the caller:
	// its lease ended, it was settled already, or it was cancelled. It is also
	// the cause of a handler's ctx when that happens. Nothing was changed.
	ErrLeaseLost = errors.New("lease lost")
	// ErrQueueFull reports a queue at its configured length, or a server that
	// is out of memory.
	ErrQueueFull = errors.New("queue full")
	// ErrPaused reports Receive on a paused queue.
	ErrPaused = errors.New("queue paused")
	// ErrPayloadTooLarge reports a message over Options.MaxPayload.
	ErrPayloadTooLarge = errors.New("payload too large")
	// ErrUnsupported reports a wish that the backend cannot fulfil.
	ErrUnsupported = errors.New("not supported by this backend")
	// ErrUncertain reports that the outcome is unknown: the request was sent
	// and no answer came.
	ErrUncertain = errors.New("outcome unknown")
	// ErrTopologyMismatch reports a queue that exists with other properties.
	ErrTopologyMismatch = errors.New("queue exists with other properties")
	// ErrNotReplicated reports a message that is stored, but on fewer replicas
	// than asked for.
	ErrNotReplicated = errors.New("not replicated")
	// ErrInvalid reports a message or an option that no backend accepts.
	ErrInvalid = errors.New("invalid")

	// ErrShutdown is the cause of a handler's ctx when its Consumer closes. A
	// handler that then returns an error gives its message back, and that does
	// not count as an attempt.
	ErrShutdown = errors.New("consumer shuts down")
	// ErrTimeout is the cause of a handler's ctx after Message.Timeout.
	ErrTimeout = errors.New("handler timed out")
	// ErrHandlerStuck is reported to OnError for a handler that goes on after
	// its ctx ended. It keeps its slot; its message goes back.
	ErrHandlerStuck = errors.New("handler ignores the end of its context")
	// ErrUnknownKind reports a message whose kind a Mux does not know.
	ErrUnknownKind = errors.New("no handler for this kind")
	// ErrHandlerPanic reports a panic of a handler, as an error with its stack, or
	// a call of runtime.Goexit.
	ErrHandlerPanic = errors.New("handler panicked")
)

// OpError says which operation on which queue failed. It unwraps to one of the
// package's errors or to the backend's own error.
type OpError struct {
	Op    string // "enqueue", "claim", "settle" …
	Queue string
	Err   error
}

func (e *OpError) Error() string { return "queue: " + e.Op + " " + e.Queue + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

// DuplicateError is ErrDuplicate together with the message that is there.
type DuplicateError struct {
	Existing ID
}

func (e *DuplicateError) Error() string {
	return ErrDuplicate.Error() + " of " + e.Existing.String()
}

// Unwrap returns ErrDuplicate.
func (e *DuplicateError) Unwrap() error { return ErrDuplicate }
