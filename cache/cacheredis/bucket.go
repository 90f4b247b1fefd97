package cacheredis

import (
	_ "embed"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/internal/redisstream"
	"github.com/cohort-go/cohort/internal/script"
)

// bucket is the part of the entries that shares one hash slot and one stream of
// invalidations.
type bucket struct {
	s          *Store
	line       *cache.Line
	stream     *redisstream.Stream
	reader     *redisstream.Reader
	meta, ends string // keys
	tagKey     string
	start      string // of the keys of entries
	leaseStart string // … of leases

	tags     tagMap
	mismatch atomic.Bool
	settled  atomic.Pointer[generation]
	run      atomic.Pointer[string] // of the server that answers the reader
	// offset is the server's clock minus ours, in ms.
	offset atomic.Int64
	synced atomic.Bool

	gets   batcher[*getCall]
	writes batcher[*writeCall]
}

// generation is with what generation entries count on the server with this run id.
type generation struct{ run, value string }

func newBucket(s *Store, name string, line *cache.Line) (*bucket, error) {
	stream, err := redisstream.New(s.client, redisstream.Options{
		Namespace: s.opts.Namespace, Area: "cache", Name: name, MaxLen: s.opts.MaxLen,
	})
	if err != nil {
		return nil, err
	}
	key := func(part string) string { return rediskey.Join(s.opts.Namespace, "cache", stream.Tag(), part) }
	b := &bucket{
		s: s, line: line, stream: stream,
		meta: key("meta"), tagKey: key("tags"), ends: key("ends"),
		start: key("e:"), leaseStart: key("l:"),
	}
	b.reader, err = redisstream.NewReader(stream, redisstream.ReaderOptions{}, b.events())
	if err != nil {
		return nil, err
	}
	b.gets = batcher[*getCall]{group: s.group, name: "get", limit: maxGets, timeout: s.opts.OpTimeout, send: b.sendGets}
	b.writes = batcher[*writeCall]{group: s.group, name: "set", limit: maxWrites, timeout: s.opts.OpTimeout, send: b.sendWrites}
	return b, nil
}

// How many calls go to the server at once.
const (
	maxGets   = 256
	maxWrites = 64
)

// entryKey returns the key of an entry; names are checked before.
func (b *bucket) entryKey(name string) string { return b.start + encode(name) }

func (b *bucket) leaseKey(name string) string { return b.leaseStart + encode(name) }

func encode(name string) string {
	e, err := rediskey.Encode(name)
	if err != nil {
		return "" // refused by checkKey
	}
	return e
}

func checkKey(name string) error {
	_, err := rediskey.Encode(name)
	return err
}

// now is the server's clock, as far as this node knows it, in ms.
func (b *bucket) now() int64 { return time.Now().UnixMilli() + b.offset.Load() }

// sync compares the clocks by an answer to a question that was sent at asked.
func (b *bucket) sync(asked time.Time, server int64) {
	middle := asked.Add(time.Since(asked) / 2)
	b.offset.Store(server - middle.UnixMilli())
	b.synced.Store(true)
}

// nonce is eight random bytes.
func nonce() string {
	x := rand.Uint64()
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(x >> (8 * i))
	}
	return string(b)
}

//go:embed lib.lua
var libLua string

//go:embed write.lua
var writeLua string

//go:embed read.lua
var readLua string

//go:embed acquire.lua
var acquireLua string

//go:embed release.lua
var releaseLua string

//go:embed delete.lua
var deleteLua string

//go:embed touch.lua
var touchLua string

//go:embed invalidate.lua
var invalidateLua string

//go:embed settle.lua
var settleLua string

type scripts struct {
	write, read, acquire, release, remove, touch, invalidate, settle *script.Script
}

func newScripts() scripts {
	head := redisstream.AppendLua() + libLua
	return scripts{
		write:      script.New(head + writeLua),
		read:       script.New(libLua + readLua),
		acquire:    script.New(libLua + acquireLua),
		release:    script.New(head + releaseLua),
		remove:     script.New(head + deleteLua),
		touch:      script.New(head + touchLua),
		invalidate: script.New(head + invalidateLua),
		settle:     script.New(libLua + settleLua),
	}
}
