package pubsub

import (
	"context"
	"fmt"
)

// Subscribe implements PubSub.
func (n *Node) Subscribe(ctx context.Context, pattern string, h Handler, o SubscribeOptions) (Subscription, error) {
	s, err := n.subscribe(ctx, pattern, h, o)
	if err != nil {
		return nil, opError("subscribe", pattern, err)
	}
	return s, nil
}

func (n *Node) subscribe(ctx context.Context, text string, h Handler, o SubscribeOptions) (*subscription, error) {
	leave, err := n.life.Enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	p, err := parsePattern(text)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, ErrNilHandler
	}
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	buses := n.busesOf(p)
	for _, b := range buses {
		if err := b.listen(ctx); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotReady, err)
		}
	}
	s := newSubscription(n, p, h, o)
	for _, b := range buses {
		s.begin(b)
	}
	n.mu.Lock()
	n.subs[s] = struct{}{}
	n.mu.Unlock()
	if !n.life.Go("subscription", func(context.Context) { s.run() }) {
		close(s.done)
		s.leave()
		return nil, ErrClosed
	}
	return s, nil
}

// begin makes the subscription follow one bus.
func (s *subscription) begin(b *bus) {
	f := &feed{sub: s, bus: b}
	s.feeds = append(s.feeds, f)
	b.mu.Lock()
	defer b.mu.Unlock()
	f.last, f.popped = b.mark, b.mark
	if s.opts.From.kind != fromNew {
		from := Mark{}
		if s.opts.From.kind == fromAfter {
			from = s.opts.From.after.Mark(b.index)
		}
		f.phase, f.last, f.popped = detached, from, from
		s.filter = &repeats{}
	}
	b.routes.add(f)
}

// leave ends what begin began.
func (s *subscription) leave() {
	for _, f := range s.feeds {
		f.bus.mu.Lock()
		f.bus.routes.remove(f)
		f.bus.mu.Unlock()
	}
	s.node.mu.Lock()
	defer s.node.mu.Unlock()
	delete(s.node.subs, s)
}
