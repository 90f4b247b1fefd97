package cacheredis

import (
	"context"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/cohort-go/cohort/cache"
)

// writeCall is one write that may share its round trip.
type writeCall struct {
	*cache.Write
	lease   string // token of the lease that it needs; "" for a plain write
	nonce   string
	done    chan struct{}
	version cache.Version // zero if the condition did not hold
	err     error
}

func (c *writeCall) key() string          { return c.Write.Key }
func (c *writeCall) ready() chan struct{} { return c.done }
func (c *writeCall) fail(err error)       { c.err = err }

// Set implements cache.Store. Concurrent calls share round trips.
func (s *Store) Set(ctx context.Context, writes ...cache.Write) ([]cache.Version, error) {
	calls := make([]*writeCall, len(writes))
	for i := range writes {
		calls[i] = &writeCall{Write: &writes[i]}
	}
	return s.set(ctx, calls)
}

// Fill implements cache.Leaser.
func (s *Store) Fill(ctx context.Context, fills ...cache.Fill) ([]cache.Version, error) {
	calls := make([]*writeCall, len(fills))
	for i := range fills {
		calls[i] = &writeCall{Write: &fills[i].Write, lease: fills[i].Lease.Token}
	}
	return s.set(ctx, calls)
}

func (s *Store) set(ctx context.Context, calls []*writeCall) ([]cache.Version, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	for _, c := range calls {
		if err := cache.CheckWrite(c.Write); err != nil {
			return nil, err
		}
		if err := checkKey(c.Key); err != nil {
			return nil, err
		}
		c.nonce, c.done = nonce(), make(chan struct{})
	}
	if len(calls) == 1 {
		s.setOne(ctx, calls[0])
	} else {
		s.setMany(ctx, calls)
	}
	versions := make([]cache.Version, len(calls))
	for i, c := range calls {
		if c.err != nil {
			return nil, c.err
		}
		versions[i] = c.version
	}
	return versions, nil
}

func (s *Store) setOne(ctx context.Context, c *writeCall) {
	sent, err := s.bucket(c.Key).writes.do(ctx, c)
	switch {
	case err == nil:
	case sent: // the answer was not waited for; c belongs to the batch
		err = uncertain(err)
		s.repeats.add(c.Key)
		*c = writeCall{Write: c.Write, err: err}
	default:
		c.err = err
	}
}

// setMany writes rows of different keys, bucket by bucket.
func (s *Store) setMany(ctx context.Context, calls []*writeCall) {
	for b, places := range s.byBucket(len(calls), func(i int) string { return calls[i].Key }) {
		var row []*writeCall
		seen := make(map[string]struct{}, maxWrites)
		for _, place := range places {
			c := calls[place]
			if _, again := seen[c.Key]; again || len(row) == maxWrites {
				b.sendWrites(ctx, row)
				row = row[:0:0]
				clear(seen)
			}
			seen[c.Key] = struct{}{}
			row = append(row, c)
		}
		b.sendWrites(ctx, row)
	}
}

// sendWrites writes a row of different keys in one step.
func (b *bucket) sendWrites(ctx context.Context, calls []*writeCall) {
	keys := make([]string, 0, 5+2*len(calls))
	keys = append(append(keys, b.meta, b.tagKey, b.ends), b.stream.Keys()...)
	args := make([]any, 0, 4+11*len(calls))
	args = append(append(args, b.stream.Args()...), nonce())
	for _, c := range calls {
		keys = append(keys, b.entryKey(c.Key), b.leaseKey(c.Key))
		args = c.appendArgs(args)
	}
	var reply []string
	err := b.s.write(ctx, func(ctx context.Context) (err error) {
		reply, err = b.s.scripts.write.Run(ctx, b.s.client, keys, args...).StringSlice()
		return err
	})
	if err == nil && len(reply) != len(calls) {
		err = errReply
	}
	if err != nil {
		for _, c := range calls {
			c.err = err
			if isUncertain(err) {
				b.s.repeats.add(c.Key)
			}
		}
		return
	}
	b.wrote(calls, reply)
}

// wrote gives each write its version and tells this node's caches, before anybody
// hears of success.
func (b *bucket) wrote(calls []*writeCall, reply []string) {
	changes := make(map[uint64]*cache.Change, 1)
	for i, c := range calls {
		if reply[i] == "" {
			continue
		}
		n, err := strconv.ParseUint(reply[i], 10, 64)
		if err != nil {
			c.err = errReply
			continue
		}
		c.version = cache.NewVersion(n, binary.BigEndian.Uint64([]byte(c.nonce)))
		ch := changes[n]
		if ch == nil {
			ch = &cache.Change{Ordinal: n}
			changes[n] = ch
		}
		if c.lease != "" {
			ch.Filled = append(ch.Filled, c.Key)
		} else {
			ch.Keys = append(ch.Keys, c.Key)
		}
	}
	for _, ch := range changes {
		b.line.Wrote(ch)
	}
}

func (c *writeCall) appendArgs(args []any) []any {
	kind := byte(wrote)
	condition := ""
	switch {
	case c.lease != "":
		condition, kind = "t"+c.lease, filled
	case c.OnlyIfAbsent:
		condition = "a"
	case c.IfVersion != cache.Version{}:
		condition = "v" + versionText(c.IfVersion)
	}
	fresh, stale := milliseconds(c.TTL), milliseconds(c.Stale)
	args = append(args, condition, fresh, stale, flag(c.Absent), c.nonce, flag(c.Keep),
		body(c.Write), part(kind, c.Key), len(c.Tags))
	for _, t := range c.Tags {
		args = append(args, t)
	}
	return args
}

// versionText is the version as it stands in an entry.
func versionText(v cache.Version) string {
	n := strconv.FormatUint(v.Ordinal(), 10)
	for len(n) < posNonce-posOrdinal {
		n = "0" + n
	}
	return n + string(v[8:])
}

// milliseconds rounds up; Forever, and what comes close, is -1.
func milliseconds(d time.Duration) int64 {
	const longest = 100 * 365 * 24 * time.Hour
	if d > longest {
		return -1
	}
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
