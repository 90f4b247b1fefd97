package queueredis

import (
	"maps"
	"testing"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// value is what Redis would store, with the enqueue time spliced in.
func value(e *queue.Envelope, nonce string) (member, v string) {
	flags := flagsOf(e)
	m := appendMember(nil, e, flags)
	b := append([]byte(nil), m[16:18]...)
	b = append48(b, 1_700_000_000_123)
	if flags&flagExpires != 0 {
		b = append48(b, e.Deadline.UnixMilli())
	}
	return string(m), string(appendRest(b, e, flags, nonce))
}

func full() *queue.Envelope {
	return &queue.Envelope{Given: true, Message: queue.Message{
		ID: queue.IDOf("x"), Kind: "mail", Payload: []byte("p\x00"), Header: map[string]string{"a": "", "": "b"},
		Priority: queue.PriorityHigh, Key: "k", Deadline: time.UnixMilli(1_700_000_999_000), Timeout: time.Minute,
		MaxAttempts: 255, Retain: time.Hour,
		Unique: queue.Unique{Key: "u", TTL: time.Minute, Until: queue.UntilStart},
	}}
}

func TestRecord(t *testing.T) {
	want := full()
	got, err := decode(value(want, "12345678"))
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got.Header, want.Header) || string(got.Payload) != string(want.Payload) {
		t.Errorf("got %+v", got.Message)
	}
	got.Header, got.Payload, want.Header, want.Payload = nil, nil, nil, nil
	if got.ID != want.ID || got.Kind != want.Kind || got.Priority != want.Priority || got.Key != want.Key ||
		!got.Deadline.Equal(want.Deadline) || got.Timeout != want.Timeout || got.MaxAttempts != 255 ||
		got.Retain != want.Retain || got.Unique != want.Unique || !got.Given {
		t.Errorf("got %+v, want %+v", got.Envelope, want)
	}
}

func TestOverhead(t *testing.T) {
	e := &queue.Envelope{Message: queue.Message{ID: queue.NewID(), Payload: make([]byte, 128), MaxAttempts: 25}}
	if _, v := value(e, ""); len(v)-128 > 24 {
		t.Errorf("a plain message has %d bytes of overhead, at most 24", len(v)-128)
	}
}

func FuzzDecode(f *testing.F) {
	member, v := value(full(), "12345678")
	f.Add(member, v)
	f.Add(member[:18], v)
	f.Add(member, v[:10])
	f.Fuzz(func(t *testing.T, member, v string) {
		s, err := decode(member, v)
		if err == nil && len(s.Payload) > len(v) {
			t.Errorf("a payload of %d bytes from %d", len(s.Payload), len(v))
		}
	})
}
