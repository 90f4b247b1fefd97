package pubsub

import "errors"

// Errors reported by every PubSub. Test for them with errors.Is; the message
// around them names the operation and the channel.
var (
	// ErrClosed reports use of a PubSub or Subscription after Close.
	ErrClosed = errors.New("closed")
	// ErrTooLarge reports a message above Options.MaxPayload.
	ErrTooLarge = errors.New("message too large")
	// ErrInvalidChannel reports a channel or pattern that cannot be used.
	ErrInvalidChannel = errors.New("invalid channel")
	// ErrInvalidMessage reports a message whose fields contradict each other.
	ErrInvalidMessage = errors.New("invalid message")
	// ErrNilHandler reports Subscribe without a handler.
	ErrNilHandler = errors.New("handler is nil")
	// ErrNotReady reports that messages cannot come in or go out now.
	ErrNotReady = errors.New("not ready")
	// ErrUncertain reports that a message may or may not have been stored.
	ErrUncertain = errors.New("outcome unknown")
	// ErrNotReplicated reports that a message is stored on the primary, but that
	// too few replicas confirmed it in time.
	ErrNotReplicated = errors.New("stored, but not on enough replicas")
	// ErrBarrierTimeout reports that not every node passed a Barrier in time.
	ErrBarrierTimeout = errors.New("not every node passed")
	// ErrInHandler reports a call that would wait for the handler that makes it.
	ErrInHandler = errors.New("called from a handler, which it would wait for")
	// ErrScopeDone reports use of a Scope after Commit or Discard.
	ErrScopeDone = errors.New("scope committed or discarded")
	// ErrDecode reports a message that a Topic or Replica cannot read.
	ErrDecode = errors.New("message cannot be decoded")
	// ErrUnsupported reports an ability that the backend does not have.
	ErrUnsupported = errors.New("not supported by this backend")
	// ErrPanic reports that a handler or a function of a Replica panicked.
	ErrPanic = errors.New("panic")
)

// OpError says which operation on which channel failed. It unwraps to one of
// the package's errors or to the backend's own error.
type OpError struct {
	Op   string // "publish", "subscribe", "barrier" …
	Name string // channel or pattern, empty where there is not one
	Err  error
}

func (e *OpError) Error() string {
	if e.Name == "" {
		return "pubsub: " + e.Op + ": " + e.Err.Error()
	}
	return "pubsub: " + e.Op + " " + e.Name + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

func opError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &OpError{Op: op, Name: name, Err: err}
}
