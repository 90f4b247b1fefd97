package pubsub

import (
	"context"
	"sync"
)

// Scope collects messages that are published together, or not at all: those of
// a request, say, whose transaction may yet be rolled back. All methods are safe
// for concurrent use.
type Scope struct {
	ps PubSub

	mu       sync.Mutex
	done     bool
	messages []Message
}

// NewScope returns an empty Scope.
func NewScope(ps PubSub) *Scope { return &Scope{ps: ps} }

// Add keeps messages for Commit. Their payloads must not be changed until then.
func (s *Scope) Add(messages ...Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return opError("add", first(messages), ErrScopeDone)
	}
	s.messages = append(s.messages, messages...)
	return nil
}

// Commit publishes what was added, in that order. A failed Commit is final too:
// the Receipts say what became of each message.
func (s *Scope) Commit(ctx context.Context) ([]Receipt, error) {
	s.mu.Lock()
	messages, done := s.messages, s.done
	s.messages, s.done = nil, true
	s.mu.Unlock()
	if done {
		return nil, opError("commit", "", ErrScopeDone)
	}
	if len(messages) == 0 {
		return nil, nil
	}
	return s.ps.Publish(ctx, messages...)
}

// Discard drops what was added. It does nothing after Commit or Discard, so it
// may be deferred.
func (s *Scope) Discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages, s.done = nil, true
}
