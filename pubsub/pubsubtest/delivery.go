package pubsubtest

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

func delivery(r *run) {
	a, b := r.node(pubsub.Options{}), r.node(pubsub.Options{})
	for i := range 50 {
		channel := "c." + strconv.Itoa(i)
		rec, sub := r.subscribe(a, channel, pubsub.SubscribeOptions{})
		at := r.publish(b, channel, "x")[0].Position
		if err := sub.WaitFor(r.Context(), at); err != nil {
			r.Fatal(err)
		}
		if got := rec.all(); !slices.Equal(got, []string{"x"}) {
			r.Fatalf("round %d: got %q right after Subscribe", i, got)
		}
	}
}

func order(r *run) {
	var nodes []pubsub.PubSub
	var records []*record
	for range 3 {
		n := r.node(pubsub.Options{})
		rec, _ := r.subscribe(n, "order.one", pubsub.SubscribeOptions{})
		nodes, records = append(nodes, n), append(records, rec)
	}
	const each = 100
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			for j := range each {
				m := pubsub.Message{Channel: "order.one", Payload: []byte(strconv.Itoa(i) + "-" + strconv.Itoa(j))}
				if _, err := n.Publish(r.Context(), m); err != nil {
					r.Errorf("publish: %v", err)
				}
			}
		})
	}
	wg.Wait()
	r.until("every message is handled", func() bool {
		return len(records[0].all()) == 3*each
	})
	first := records[0].all()
	for _, rec := range records[1:] {
		rec.want(first...)
	}
	next := make(map[string]int)
	for _, payload := range first {
		from, n := payload[:1], payload[2:]
		if n != strconv.Itoa(next[from]) {
			r.Fatalf("%s comes when %s-%d is due", payload, from, next[from])
		}
		next[from]++
	}
}

func content(r *run) {
	a, b := r.node(pubsub.Options{Name: "sender"}), r.node(pubsub.Options{})
	type seen struct {
		d    pubsub.Delivery
		self bool
	}
	got := make(chan seen, 8)
	rec := &record{run: r}
	for _, n := range []pubsub.PubSub{a, b} {
		r.handle(n, "content", pubsub.SubscribeOptions{}, rec, func(_ context.Context, d *pubsub.Delivery) error {
			got <- seen{d: *d, self: n == a}
			return nil
		})
	}
	messages := []pubsub.Message{
		{Channel: "content"},
		{
			Channel: "content", Payload: []byte("a\x00\n\xff"), Key: "k",
			Headers: map[string]string{"traceparent": "00-1-2-03", "empty": ""},
		},
	}
	receipts, err := a.Publish(r.Context(), messages...)
	if err != nil {
		r.Fatal(err)
	}
	for range 4 {
		s := receive(r, got)
		want, place := messages[0], receipts[0].Position
		if s.d.Key != "" {
			want, place = messages[1], receipts[1].Position
		}
		if string(s.d.Payload) != string(want.Payload) || s.d.Key != want.Key || !maps.Equal(s.d.Headers, want.Headers) {
			r.Errorf("got %+v, want %+v", s.d, want)
		}
		if s.d.Self != s.self || len(s.d.Node) < len("sender-") || s.d.Node[:7] != "sender-" {
			r.Errorf("self is %v, node %q", s.d.Self, s.d.Node)
		}
		if at := s.d.Position(); !at.Covers(place) || !place.Covers(at) || s.d.Published().IsZero() {
			r.Errorf("place %v, receipt %v", at, place)
		}
	}
}

func patterns(r *run) {
	n := r.node(pubsub.Options{})
	tests := []struct {
		pattern string
		want    []string
	}{
		{"a.b", []string{"a.b"}},
		{"a.*", []string{"a.b", "a.c"}},
		{"*.b", []string{"a.b", "x.b"}},
		{"a.>", []string{"a.b", "a.c", "a.b.c", "a.b.c.d"}},
		{"a.*.c", []string{"a.b.c"}},
		{"*", []string{"a"}},
		{">", []string{"a", "a.b", "a.c", "x.b", "a.b.c", "a.b.c.d"}},
	}
	records := make([]*record, len(tests))
	for i, tt := range tests {
		records[i], _ = r.subscribe(n, tt.pattern, pubsub.SubscribeOptions{})
	}
	for _, channel := range []string{"a", "a.b", "a.c", "x.b", "a.b.c", "a.b.c.d"} {
		r.publish(n, channel, channel)
	}
	for i, tt := range tests {
		records[i].wantSet(tt.pattern, tt.want...)
	}
}

// wantSet is want for channels that may be on different buses.
func (r *record) wantSet(what string, want ...string) {
	r.run.Helper()
	r.run.until(what, func() bool { return len(r.all()) >= len(want) })
	time.Sleep(quiet)
	got := r.all()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.run.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func selfFilters(r *run) {
	a, b := r.node(pubsub.Options{}), r.node(pubsub.Options{})
	plainA, _ := r.subscribe(a, "self", pubsub.SubscribeOptions{})
	plainB, _ := r.subscribe(b, "self", pubsub.SubscribeOptions{})
	skip, _ := r.subscribe(a, "self", pubsub.SubscribeOptions{SkipSelf: true})
	only, _ := r.subscribe(a, "self", pubsub.SubscribeOptions{OnlySelf: true})
	send := func(ps pubsub.PubSub, m pubsub.Message) {
		m.Channel = "self"
		if _, err := ps.Publish(r.Context(), m); err != nil {
			r.Fatal(err)
		}
	}
	send(a, pubsub.Message{Payload: []byte("a")})
	send(b, pubsub.Message{Payload: []byte("b")})
	send(a, pubsub.Message{Payload: []byte("others"), SkipSelf: true})
	send(a, pubsub.Message{Payload: []byte("mine"), OnlySelf: true})
	send(a, pubsub.Message{Payload: []byte("end")})
	plainA.want("a", "b", "mine", "end")
	plainB.want("a", "b", "others", "end")
	skip.want("b")
	only.want("a", "mine", "end")
}

func fromAll(r *run) {
	a := r.node(pubsub.Options{})
	const total, live = 600, 200
	for i := 0; i < total; i += 50 {
		r.publish(a, "replay", numbers(i, i+50)...)
	}
	r.publish(a, "other", "x")
	rec, _ := r.subscribe(r.node(pubsub.Options{}), "replay", pubsub.SubscribeOptions{From: pubsub.All()})
	for i := range live {
		r.publish(a, "replay", strconv.Itoa(total+i))
	}
	rec.want(numbers(0, total+live)...)
}

func fromAfter(r *run) {
	a := r.node(pubsub.Options{})
	all := r.publish(a, "replay", numbers(0, 100)...)
	text := all[39].Position.String()
	at, err := pubsub.ParsePosition(text)
	if err != nil {
		r.Fatal(err)
	}
	b := r.node(pubsub.Options{})
	rec, _ := r.subscribe(b, "replay", pubsub.SubscribeOptions{From: pubsub.After(at)})
	r.publish(a, "replay", "100")
	rec.want(numbers(40, 101)...)

	again, _ := r.subscribe(b, "replay", pubsub.SubscribeOptions{From: pubsub.After(b.Position())})
	r.publish(a, "replay", "101")
	again.want("101")
}

// twice stores every batch two times.
type twice struct{ pubsub.Backend }

func (b twice) Append(ctx context.Context, bus int, entries [][]byte, replicas int) ([]pubsub.Mark, int, error) {
	if _, _, err := b.Backend.Append(ctx, bus, entries, replicas); err != nil {
		return nil, 0, err
	}
	return b.Backend.Append(ctx, bus, entries, replicas)
}

func atMostOnce(r *run) {
	a := r.node(pubsub.Options{}, func(b pubsub.Backend) pubsub.Backend { return twice{b} })
	b := r.node(pubsub.Options{})
	live, _ := r.subscribe(b, "twice", pubsub.SubscribeOptions{})
	for i := 0; i < 30; i += 3 {
		r.publish(a, "twice", numbers(i, i+3)...)
	}
	live.want(numbers(0, 30)...)
	replay, _ := r.subscribe(b, "twice", pubsub.SubscribeOptions{From: pubsub.All()})
	replay.want(numbers(0, 30)...)
}
