package queueredis

import (
	"context"
	"encoding/binary"
	"strings"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// States in the reply of claim.lua.
const (
	statePaused = 1
	stateSolo   = 2
)

// Claim implements queue.Backend.
func (s *store) Claim(ctx context.Context, req queue.ClaimRequest) (queue.Claim, error) {
	nonce := newNonce()
	rate := req.Rate
	if rate.Burst == 0 {
		rate.Burst = rate.N
	}
	reply, err := s.run(ctx, s.scripts.claim,
		req.Consumer, nonce, req.Max, req.Slots, req.Held, millis(req.Lease),
		req.MaxInFlight, rate.N, millis(rate.Per), rate.Burst,
		s.opts.DeadLimit, millis(s.opts.DeadFor), millis(s.opts.DedupeFor), s.opts.ExpiredToDead,
		joined(req.Done),
	)
	if err != nil {
		return queue.Claim{}, err
	}
	return readClaim(reply, nonce, req.Done)
}

// joined is how claim.lua takes receipts. One of another length is nobody's, and
// is sent as one that never was.
func joined(list []queue.Receipt) []byte {
	out := make([]byte, 0, receiptSize*len(list))
	for _, r := range list {
		if len(r) != receiptSize {
			r = queue.Receipt(make([]byte, receiptSize))
		}
		out = append(out, r...)
	}
	return out
}

func readClaim(reply any, nonce string, done []queue.Receipt) (queue.Claim, error) {
	list, ok := reply.([]any)
	if !ok || len(list) != 5 {
		return queue.Claim{}, errReply(reply)
	}
	lost, ok := list[0].([]any)
	next, ok2 := list[1].(int64)
	state, ok3 := list[2].(int64)
	heads, ok4 := list[3].(string)
	values, ok5 := list[4].(string)
	if !ok || !ok2 || !ok3 || !ok4 || !ok5 {
		return queue.Claim{}, errReply(reply)
	}
	got := queue.Claim{
		Next:        time.Duration(next) * time.Millisecond,
		Paused:      state == statePaused,
		SoloWaiting: state == stateSolo,
	}
	if next < 0 {
		got.Next = -1
	}
	for _, i := range lost {
		if n, ok := i.(int64); ok && n >= 0 && n < int64(len(done)) {
			got.Lost = append(got.Lost, done[n])
		}
	}
	var err error
	got.Messages, err = readClaimed(heads, values, nonce)
	return got, err
}

// readClaimed takes the joined messages of a claim apart. Their receipts share one
// string; all else is copied, so that a message keeps no other in memory.
func readClaimed(heads, values, nonce string) ([]queue.Claimed, error) {
	const headSize = memberSize + 4
	if len(heads)%headSize != 0 {
		return nil, errReply(heads)
	}
	list := make([]queue.Claimed, len(heads)/headSize)
	var b strings.Builder
	b.Grow(len(list) * receiptSize)
	for i := range list {
		head := heads[i*headSize : (i+1)*headSize]
		b.WriteString(head[:memberSize])
		b.WriteString(nonce)
		n := int(binary.BigEndian.Uint32([]byte(head[memberSize:])))
		if n > len(values) {
			return nil, errReply(heads)
		}
		claimed(&list[i], head[:memberSize], values[:n])
		values = values[n:]
	}
	receipts := b.String()
	for i := range list {
		list[i].Receipt = queue.Receipt(receipts[i*receiptSize : (i+1)*receiptSize])
	}
	return list, nil
}

// claimed decodes a leased message. One that cannot be read, because a newer
// version wrote it, comes as it is: its handler's failure will be reported.
func claimed(c *queue.Claimed, member, value string) {
	m, err := decode(member, value)
	if err != nil {
		m.Payload = []byte(value)
	}
	c.Envelope, c.EnqueuedAt = m.Envelope, m.enqueued
	c.Attempt, c.Solo = m.failures+1, m.losses >= 2
}

// Extend implements queue.Backend.
func (s *store) Extend(ctx context.Context, receipts []queue.Receipt, d time.Duration) ([]error, error) {
	args := make([]any, 0, 1+len(receipts))
	args = append(args, millis(d))
	for _, r := range receipts {
		args = append(args, string(r))
	}
	reply, err := s.run(ctx, s.scripts.extend, args...)
	if err != nil {
		return nil, err
	}
	return losses(reply, len(receipts))
}

// Settle implements queue.Backend.
func (s *store) Settle(ctx context.Context, batch []queue.Settlement) ([]error, error) {
	args := make([]any, 0, 2+5*len(batch))
	args = append(args, s.opts.DeadLimit, millis(s.opts.DedupeFor))
	for i := range batch {
		b := &batch[i]
		args = append(args, verb(b.Verb), string(b.Receipt), millis(b.Delay), b.Reason, b.Result)
	}
	reply, err := s.run(ctx, s.scripts.settle, args...)
	if err != nil {
		return nil, err
	}
	return losses(reply, len(batch))
}

// verb is a Verb as settle.lua knows it.
func verb(v queue.Verb) string {
	return [...]string{
		queue.VerbDone: "o", queue.VerbRetry: "t", queue.VerbSnooze: "s",
		queue.VerbRelease: "r", queue.VerbDiscard: "x", queue.VerbDead: "k",
	}[v]
}

// losses reads a reply that lists the items whose lease is lost.
func losses(reply any, n int) ([]error, error) {
	list, ok := reply.([]any)
	if !ok {
		return nil, errReply(reply)
	}
	if len(list) == 0 {
		return nil, nil
	}
	errs := make([]error, n)
	for _, i := range list {
		at, ok := i.(int64)
		if !ok || at < 0 || at >= int64(n) {
			return nil, errReply(reply)
		}
		errs[at] = queue.ErrLeaseLost
	}
	return errs, nil
}

// SetProgress implements queue.RecordBackend.
func (s *store) SetProgress(ctx context.Context, r queue.Receipt, progress []byte) error {
	reply, err := s.run(ctx, s.scripts.progress, string(r), progress)
	if err != nil {
		return err
	}
	if n, ok := reply.(int64); !ok || n != 1 {
		return queue.ErrLeaseLost
	}
	return nil
}
