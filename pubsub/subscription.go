package pubsub

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// subscription is a handler, its queue, and the goroutine that runs it.
type subscription struct {
	node    *Node
	pattern pattern
	handler Handler
	opts    SubscribeOptions
	feeds   []*feed
	ctx     context.Context // the handler's; ends with the subscription
	cancel  context.CancelCauseFunc
	wake    chan struct{} // holds one token when there is something to do
	halt    chan struct{} // closed by stop
	done    chan struct{} // closed when the goroutine has ended

	mu       sync.Mutex // after bus.mu
	queue    queue
	size     int     // messages in queue
	deferred []event // tokens that wait until no feed lags
	stopped  bool

	// Only the goroutine uses these.
	filter   *repeats // nil if the bus' own is enough
	coalesce coalescer
	timer    *time.Timer
	failures int // of reading the log, in a row
}

// handlerKey is the key under which a handler's ctx has its subscription.
type handlerKey struct{}

func newSubscription(n *Node, p pattern, h Handler, o SubscribeOptions) *subscription {
	s := &subscription{
		node: n, pattern: p, handler: h, opts: o,
		wake:     make(chan struct{}, 1),
		halt:     make(chan struct{}),
		done:     make(chan struct{}),
		coalesce: coalescer{opts: o.Coalesce},
		timer:    time.NewTimer(time.Hour),
	}
	if o.Policy == Block {
		s.filter = &repeats{}
	}
	ctx := context.WithValue(context.Background(), handlerKey{}, s)
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	return s
}

// skips reports whether the message is not for this subscription.
func (s *subscription) skips(d *Delivery) bool {
	if d.Self {
		return d.skipSelf || s.opts.SkipSelf
	}
	return d.onlySelf || s.opts.OnlySelf
}

func (s *subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// waiting is the number of messages in the queue.
func (s *subscription) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// token queues f, to be called once all that came before is done.
func (s *subscription) token(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		f()
		return
	}
	s.queue.add(event{token: f})
	s.signal()
}

// WaitFor implements Subscription.
func (s *subscription) WaitFor(ctx context.Context, p Position) error {
	if inHandler(ctx) == s {
		return opError("wait", s.pattern.text, ErrInHandler)
	}
	for _, f := range s.feeds {
		if err := f.bus.waitFor(ctx, p.Mark(f.bus.index).N); err != nil {
			return opError("wait", s.pattern.text, err)
		}
	}
	passed := make(chan struct{})
	s.token(func() { close(passed) })
	select {
	case <-passed:
	case <-ctx.Done():
		return opError("wait", s.pattern.text, context.Cause(ctx))
	}
	select {
	case <-s.halt:
		return opError("wait", s.pattern.text, ErrClosed)
	default:
		return nil
	}
}

func inHandler(ctx context.Context) *subscription {
	s, _ := ctx.Value(handlerKey{}).(*subscription)
	return s
}

// Close implements Subscription.
func (s *subscription) Close(ctx context.Context) error {
	s.stop()
	if inHandler(ctx) == s {
		return nil // it ends when the handler returns
	}
	return opError("unsubscribe", s.pattern.text, s.end(ctx))
}

// stop lets nothing more come in.
func (s *subscription) stop() {
	s.mu.Lock()
	first := !s.stopped
	s.stopped = true
	s.mu.Unlock()
	if first {
		close(s.halt)
		s.leave()
	}
}

// handlerGrace is how long a handler may take to return once its ctx has ended.
const handlerGrace = 30 * time.Millisecond

// end waits for the handler, which stop has told to be the last.
func (s *subscription) end(ctx context.Context) error {
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
	}
	s.cancel(ErrClosed)
	late := time.NewTimer(handlerGrace)
	defer late.Stop()
	select {
	case <-s.done:
		return nil
	case <-late.C:
		s.node.count.abandoned.Add(1)
		return fmt.Errorf("handler of %s still runs: %w", s.pattern.text, context.Cause(ctx))
	}
}

// run handles what is queued, and reads the log where a feed is not attached,
// until stop.
func (s *subscription) run() {
	defer close(s.done)
	defer s.cancel(ErrClosed)
	for !s.halted() {
		switch f, e, ok := s.next(); {
		case f != nil:
			s.page(f)
		case ok:
			s.take(e)
		default:
			s.idle()
		}
		s.handOver(s.coalesce.due)
	}
	s.flush()
	s.mu.Lock()
	left := slices.Concat(s.queue.rest(), s.deferred)
	s.queue, s.deferred, s.size = queue{}, nil, 0
	s.mu.Unlock()
	for _, e := range left {
		if e.token != nil {
			e.token()
		}
	}
}

func (s *subscription) halted() bool {
	select {
	case <-s.halt:
		return true
	default:
		return false
	}
}

// idle waits until there is something to do.
func (s *subscription) idle() {
	var due <-chan time.Time
	if at := s.coalesce.next(); !at.IsZero() {
		s.timer.Reset(time.Until(at))
		due = s.timer.C
	}
	select {
	case <-s.wake:
	case <-due:
	case <-s.halt:
	}
}

// next returns a feed whose log must be read, or the next element of the queue.
// The log of a joining feed comes before what is queued, that of a detached one
// after it; one look decides, for a feed may queue a message and detach between
// two.
func (s *subscription) next() (read *feed, e event, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if read = s.in(joining); read != nil {
		return read, e, false
	}
	if e, ok = s.queue.take(); !ok {
		return s.in(detached), e, false
	}
	if e.d != nil {
		s.size--
		e.feed.popped = e.d.mark
	}
	return nil, e, true
}

// take handles one element of the queue.
func (s *subscription) take(e event) {
	switch {
	case e.d != nil:
		if e.d.mark.N > e.feed.skip.N {
			s.receive(e.d)
		}
	case e.gap != nil:
		s.takeGap(e)
	default:
		s.takeToken(e)
	}
}

// takeGap tells of a Gap, unless the log was read beyond it.
func (s *subscription) takeGap(e event) {
	if f := e.feed; f != nil && f.skip.N > 0 {
		resume := e.gap.Resume.Mark(f.bus.index)
		known := resume.Base == f.skip.Base && resume.N <= f.skip.N
		switch e.gap.Reason {
		case GapTrimmed, GapReset:
			if known {
				return
			}
			f.skip = Mark{}
		case GapFailover:
			if known && resume.Run == f.skip.Run { // the log told of this server
				return
			}
			f.skip = Mark{}
		case GapOverflow, GapAbsent:
		}
	}
	s.missed(*e.gap)
}

func (s *subscription) takeToken(e event) {
	s.mu.Lock()
	for _, f := range s.feeds {
		if f.phase != attached {
			s.deferred = append(s.deferred, e)
			s.mu.Unlock()
			return
		}
	}
	s.mu.Unlock()
	s.flush()
	e.token()
}

// in returns a feed in the given phase, or nil. The caller holds mu.
func (s *subscription) in(p phase) *feed {
	for _, f := range s.feeds {
		if f.phase == p {
			return f
		}
	}
	return nil
}

// page reads one page of the log, and goes back to the live feed at its end.
func (s *subscription) page(f *feed) {
	if f.pager == nil {
		f.pager = s.node.backend.Read(f.bus.index, f.last, s.pageFeed(f))
	}
	foreign := f.pager.Foreign()
	ctx, cancel := context.WithTimeout(s.ctx, s.node.opts.OpTimeout)
	unlink := context.AfterFunc(s.node.abort, cancel)
	more, err := f.pager.Next(ctx)
	unlink()
	cancel()
	s.node.count.foreignInPages.Add(f.pager.Foreign() - foreign)
	if err != nil {
		s.node.opts.Logger.Warn("pubsub: reading the log failed", "pattern", s.pattern.text, "error", err)
		wait := backoff.Policy{Base: 20 * time.Millisecond, Max: time.Second, Jitter: 0.2}
		s.pause(wait.Delay(s.failures))
		s.failures++
		return
	}
	s.failures = 0
	if at := f.pager.Position(); !more || f.reached(at) {
		f.join(at)
	}
}

// reached reports that the log was read up to what the live feed has queued. The
// live feed may leave at any moment; join looks again.
func (f *feed) reached(at Mark) bool {
	f.sub.mu.Lock()
	defer f.sub.mu.Unlock()
	return f.phase == joining && at.N >= f.joinAt
}

// join attaches a feed that was read up to at, or marks from where the live feed
// takes over.
func (f *feed) join(at Mark) {
	s, b := f.sub, f.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case f.phase == detached && at.N < b.mark.N:
		f.phase, f.joinAt, f.last = joining, b.mark.N, b.mark
		return
	case f.phase == detached:
		f.last = at
	}
	f.phase, f.skip, f.pager = attached, at, nil
	for _, other := range s.feeds {
		if other.phase != attached {
			return
		}
	}
	s.queue.add(s.deferred...)
	s.deferred = nil
}

// pageFeed takes in what a page of the log brings.
func (s *subscription) pageFeed(f *feed) Feed {
	return Feed{
		Entries: func(entries []Entry) {
			for i := range entries {
				s.readEntry(f, &entries[i])
			}
		},
		Gap: func(reason GapReason, missed int64, after, resume Mark) {
			i := f.bus.index
			s.missed(Gap{Reason: reason, Missed: missed, After: positionOf(i, after), Resume: positionOf(i, resume)})
		},
	}
}

func (s *subscription) readEntry(f *feed, e *Entry) {
	env, err := decode(e.Data)
	if err != nil {
		s.node.count.malformed.Add(1)
		return
	}
	channel := string(env.channel)
	if env.flags&(flagBarrier|flagPassed) != 0 || !s.pattern.match(channel) || s.halted() {
		return
	}
	at := f.pager.Position()
	d := newDelivery(f.bus.index, Mark{Base: at.Base, N: e.N, ID: e.ID, Run: at.Run}, &env)
	d.Channel, d.Node = channel, string(env.node)
	d.Self = d.Node == s.node.name
	if !s.skips(&d) {
		s.receive(&d)
	}
}

// pause waits, but not beyond stop.
func (s *subscription) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.halt:
	case <-s.ctx.Done():
	}
}
