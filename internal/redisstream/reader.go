package redisstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/backoff"
	"github.com/cohort-go/cohort/internal/lifecycle"
	"github.com/cohort-go/cohort/internal/redisconn"
)

// ErrClosed reports use of a Reader after Close.
var ErrClosed = errors.New("reader closed")

// ReaderOptions tune a Reader. The zero value of each field means its default.
type ReaderOptions struct {
	// AuditIdle is the time between two questions for the state of the log while
	// no push comes in. Default 1.5 s.
	AuditIdle time.Duration
	// AuditBusy is the same while pushes come in. Default 8 s.
	AuditBusy time.Duration
	// AuditTimeout bounds one question. Default 400 ms.
	AuditTimeout time.Duration
	// Tail waits by XREAD BLOCK instead of a subscription, for servers whose
	// access rules forbid SUBSCRIBE.
	Tail bool
	// Member is the name under which the reader is counted among those that
	// follow the stream; empty for none. A member is forgotten after MemberTTL
	// without a question. Default 3 × AuditBusy.
	Member    string
	MemberTTL time.Duration
}

func (o ReaderOptions) withDefaults() ReaderOptions {
	if o.AuditIdle == 0 {
		o.AuditIdle = 1500 * time.Millisecond
	}
	if o.AuditBusy == 0 {
		o.AuditBusy = 8 * time.Second
	}
	if o.AuditTimeout == 0 {
		o.AuditTimeout = 400 * time.Millisecond
	}
	if o.MemberTTL == 0 {
		o.MemberTTL = 3 * o.AuditBusy
	}
	return o
}

// Reader follows one Stream. All methods are safe for concurrent use.
type Reader struct {
	stream *Stream
	opts   ReaderOptions
	events Events
	client redis.UniversalClient // own: its end ends every read
	life   *lifecycle.Group
	ready  chan struct{} // closed once the position is fixed
	denied chan error    // holds a refusal that no retry cures
	kick   chan struct{} // holds one wish to ask the log
	inStep chan struct{} // holds one answer after which nothing was left to ask
	retry  backoff.Policy

	mu      sync.Mutex // guards what follows and orders the calls of events
	seq     sequencer
	run     string
	feed    feed      // of pushes
	pushAt  time.Time // when the last push came in
	askedAt time.Time // when the last question was sent
	begun   bool
	failure error // the last one, for Start

	foreign atomic.Int64
	repairs atomic.Int64
}

// NewReader returns a Reader that follows s once it is started. It opens a
// client of its own from a copy of the borrowed one's options.
func NewReader(s *Stream, o ReaderOptions, e Events) (*Reader, error) {
	if e.Entries == nil || e.Gap == nil {
		return nil, errors.New("events need Entries and Gap")
	}
	o = o.withDefaults()
	client, err := redisconn.Clone(s.client, func(c *redisconn.Settings) {
		c.PoolSize = 2
		c.MaxRetries = -1
		if s.sharded {
			c.MaxRetries = 3 // redirects
		}
		c.ContextTimeoutEnabled = true
		c.DialTimeout = time.Second
		c.ReadTimeout = time.Second
		c.WriteTimeout = time.Second
	})
	if err != nil {
		return nil, fmt.Errorf("client of the reader: %w", err)
	}
	r := &Reader{
		stream: s, opts: o, events: e.withDefaults(), client: client,
		life:   lifecycle.New(ErrClosed),
		ready:  make(chan struct{}),
		denied: make(chan error, 1),
		kick:   make(chan struct{}, 1),
		inStep: make(chan struct{}, 1),
		retry:  backoff.Policy{Base: 50 * time.Millisecond, Max: time.Second, Jitter: 0.2},
	}
	r.seq.out = sink{entries: r.events.Entries, gap: r.events.Gap}
	r.seq.asking = true
	return r, nil
}

// Start begins to follow and returns once the position is fixed: what is stored
// after it returned is handed on, or covered by a Gap. If ctx ends first, the
// Reader goes on trying in the background; Start may be called again.
func (r *Reader) Start(ctx context.Context) error {
	r.begin()
	select {
	case <-r.ready:
		return nil
	case err := <-r.denied:
		return err
	case <-ctx.Done():
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.failure != nil {
			return fmt.Errorf("%w; last failure: %w", context.Cause(ctx), r.failure)
		}
		return context.Cause(ctx)
	case <-r.life.Context().Done():
		return ErrClosed
	}
}

func (r *Reader) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun {
		return
	}
	r.begun = true
	feed := r.pushes
	if r.opts.Tail {
		feed = r.tail
	}
	r.life.Go("feed", feed)
	r.life.Go("questions", r.questions)
}

func (r *Reader) started() bool {
	select {
	case <-r.ready:
		return true
	default:
		return false
	}
}

// Position is the place after the last entry that was handed on. It must not be
// called from a function of Events.
func (r *Reader) Position() Cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seq.cur
}

// Audit asks for the state of the log soon, without waiting for the interval.
func (r *Reader) Audit() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// Foreign is the number of entries that were skipped because they are not of
// this package.
func (r *Reader) Foreign() int64 { return r.foreign.Load() }

// Repairs is the number of times that entries were read from the log because
// the push had not brought them in order.
func (r *Reader) Repairs() int64 { return r.repairs.Load() }

// Close ends the Reader and its connections, waiting no longer than ctx allows.
func (r *Reader) Close(ctx context.Context) error {
	return r.life.Close(ctx, func(context.Context) error {
		err := r.client.Close()
		if errors.Is(err, redis.ErrClosed) {
			return nil
		}
		return err
	})
}
