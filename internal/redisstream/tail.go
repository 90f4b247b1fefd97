package redisstream

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/backoff"
)

// tailBlock is how long one read waits for entries.
const tailBlock = time.Second

// tail reads the log itself, entry by entry, in place of pushes. It runs until
// Close.
func (r *Reader) tail(ctx context.Context) {
	r.subscribed() // fixes the position; nothing else is needed before
	select {
	case <-r.ready:
	case <-ctx.Done():
		return
	}
	for failures := 0; ctx.Err() == nil; {
		entries, err := r.readTail(ctx)
		if err != nil && ctx.Err() == nil {
			r.fail(err)
			failures++
			_ = backoff.Sleep(ctx, r.retry.Delay(failures-1))
			continue
		}
		failures = 0
		r.takeTail(entries)
	}
}

func (r *Reader) readTail(ctx context.Context) ([]redis.XMessage, error) {
	r.mu.Lock()
	after := r.seq.scan.String()
	r.mu.Unlock()
	streams, err := r.client.XRead(ctx, &redis.XReadArgs{
		Streams: []string{r.stream.log, after},
		Count:   maxPage,
		Block:   tailBlock,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil // nothing came in
	}
	if err != nil || len(streams) == 0 {
		return nil, err
	}
	return streams[0].Messages, nil
}

// takeTail takes in entries as if each row of consecutive ordinals were a push.
func (r *Reader) takeTail(messages []redis.XMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life.Context().Err() != nil || len(messages) == 0 {
		return
	}
	r.pushAt = time.Now()
	var row frame
	flush := func() {
		if len(row.entries) > 0 && r.seq.push(row) {
			r.Audit()
		}
		row = frame{}
	}
	for _, m := range messages {
		e, ok := entryOf(m)
		if !ok {
			r.seq.foreign++
			continue
		}
		if n := len(row.entries); n > 0 && e.N != row.entries[n-1].N+1 {
			flush()
		}
		row.entries = append(row.entries, e)
		row.size += len(e.Data)
	}
	flush()
	if last, err := ParseID(messages[len(messages)-1].ID); err == nil && !r.seq.asking && r.seq.scan.less(last) {
		r.seq.scan = last
	}
	r.foreign.Store(r.seq.foreign)
}

func entryOf(m redis.XMessage) (Entry, bool) {
	id, err := ParseID(m.ID)
	if err != nil || len(m.Values) != 2 {
		return Entry{}, false
	}
	text, _ := m.Values["n"].(string)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return Entry{}, false
	}
	data, ok := m.Values["e"].(string)
	return Entry{N: n, ID: id, Data: []byte(data)}, ok
}
