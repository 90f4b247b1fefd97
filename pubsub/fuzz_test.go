package pubsub

import (
	"bytes"
	"maps"
	"testing"
)

func FuzzEnvelope(f *testing.F) {
	f.Add([]byte("payload"), "a.b", "key", "header", byte(0))
	f.Add([]byte{}, "c", "", "", byte(flagSkipSelf))
	f.Fuzz(func(t *testing.T, payload []byte, channel, key, header string, flags byte) {
		m := Message{Channel: channel, Key: key, Payload: payload}
		if header != "" {
			m.Headers = map[string]string{header: key}
		}
		entry := encode(&m, "node", flags&(flagSkipSelf|flagOnlySelf))
		e, err := decode(entry)
		if err != nil {
			t.Fatal(err)
		}
		if string(e.channel) != channel || string(e.key) != key || !bytes.Equal(e.payload, payload) || !maps.Equal(e.headers, m.Headers) {
			t.Fatalf("got %+v of %+v", e, m)
		}
		for i := range entry { // no part of an entry makes decode fail otherwise than by an error
			_, _ = decode(entry[:i])
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(&Message{Channel: "a", Key: "k", Headers: map[string]string{"h": "v"}}, "n", 0))
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, entry []byte) { _, _ = decode(entry) })
}

func FuzzParsePosition(f *testing.F) {
	f.Add("0:5:1:7-0:abc,3:9:2:7-1:")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePosition(text)
		if err != nil {
			return
		}
		again, err := ParsePosition(p.String())
		if err != nil || !again.Covers(p) || !p.Covers(again) {
			t.Fatalf("%q became %q: %v", text, p.String(), err)
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add("a.*.>", "a.b.c")
	f.Fuzz(func(t *testing.T, text, channel string) {
		p, err := parsePattern(text)
		if err != nil || checkChannel(channel) != nil {
			return
		}
		if p.plain() != (p.match(text) && checkChannel(text) == nil) {
			t.Fatalf("%q: plain is %v", text, p.plain())
		}
		_ = p.match(channel)
	})
}
