package queueredis

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/queue"
)

// Enqueue implements queue.Backend.
func (s *store) Enqueue(ctx context.Context, batch []queue.Envelope) ([]error, error) {
	r := s.insertion(batch)
	if s.opts.Replicas > 0 {
		return s.enqueueReplicated(ctx, len(batch), r)
	}
	reply, err := s.runOn(ctx, r.script, r.keys, r.args...)
	if err != nil {
		return nil, err
	}
	return refusals(reply, len(batch))
}

// insertion is a request that stores messages.
type insertion struct {
	script *pair
	keys   []string
	args   []any
}

// insertion chooses the script: one for a plain message, one for several, or the one
// for all.
func (s *store) insertion(batch []queue.Envelope) insertion {
	if !slices.ContainsFunc(batch, elaborate) {
		args := make([]any, 2, 2+2*len(batch))
		largest := appendMessages(&args, batch, "", true)
		if len(batch) == 1 && largest == 0 {
			return s.lone(&batch[0], args[2:])
		}
		args[0], args[1] = s.opts.MaxLen, largest
		return insertion{s.scripts.putMany, s.plainKeys, args}
	}
	nonce := newNonce()
	args := make([]any, 3, 3+3*len(batch))
	largest := appendMessages(&args, batch, nonce, false)
	args[0], args[1], args[2] = nonce, s.opts.MaxLen, largest
	return insertion{s.scripts.enqueue, s.keys, args}
}

// elaborate reports that a message is more than kind and payload for now.
func elaborate(e queue.Envelope) bool {
	return flagsOf(&e) != 0 || e.Delay > 0 || !e.At.IsZero()
}

func (s *store) lone(e *queue.Envelope, args []any) insertion {
	if s.opts.MaxLen > 0 {
		args = append(args, s.opts.MaxLen)
	}
	return insertion{s.scripts.put, s.loneKeys[levelUrgent-int(e.Priority)][:], args}
}

// appendMessages appends the arguments of each message, and returns the size of
// the largest value if it is large. All of them share one buffer.
func appendMessages(args *[]any, batch []queue.Envelope, nonce string, plain bool) int {
	size := 0
	for i := range batch {
		size += memberSize + len(batch[i].Payload) + len(batch[i].Kind) + 64
	}
	buf := make([]byte, 0, size)
	largest := 0
	for i := range batch {
		e := &batch[i]
		flags := flagsOf(e)
		from := len(buf)
		buf = appendMember(buf, e, flags)
		mid := len(buf)
		buf = appendRest(buf, e, flags, nonce)
		*args = append(*args, buf[from:mid:mid])
		if !plain {
			*args = append(*args, when(e, flags))
		}
		*args = append(*args, buf[mid:len(buf):len(buf)])
		if n := len(buf) - mid + valueHead + stampSize; n > largeValue {
			largest = max(largest, n)
		}
	}
	return largest
}

// refusals reads the reply of insert: triples of index, code and ID. The script for
// one message only says whether the queue was full.
func refusals(reply any, n int) ([]error, error) {
	if full, ok := reply.(int64); ok && n == 1 {
		if full == 0 {
			return nil, nil
		}
		return []error{queue.ErrQueueFull}, nil
	}
	list, ok := reply.([]any)
	if !ok || len(list)%3 != 0 {
		return nil, errReply(reply)
	}
	if len(list) == 0 {
		return nil, nil
	}
	errs := make([]error, n)
	for i := 0; i < len(list); i += 3 {
		at, ok := list[i].(int64)
		code, ok2 := list[i+1].(string)
		id, ok3 := list[i+2].(string)
		if !ok || !ok2 || !ok3 || at < 0 || at >= int64(n) {
			return nil, errReply(reply)
		}
		errs[at] = refusal(code, id)
	}
	return errs, nil
}

func refusal(code, id string) error {
	switch {
	case code == "d" && len(id) == len(queue.ID{}):
		return &queue.DuplicateError{Existing: queue.ID([]byte(id))}
	case code == "f":
		return queue.ErrQueueFull
	case code == "n":
		return queue.ErrNotFound
	}
	return errReply(code)
}

func errReply(reply any) error { return fmt.Errorf("queueredis: unexpected reply %.100v", reply) }

// enqueueReplicated stores messages and waits for replicas, on one connection.
func (s *store) enqueueReplicated(ctx context.Context, n int, r insertion) ([]error, error) {
	var reply any
	var replicas int64
	err := redisconn.Retry(ctx, s.rdb, s.opts.OpTimeout, func(ctx context.Context) error {
		c, err := s.primary(ctx)
		if err != nil {
			return err
		}
		var stored *redis.Cmd
		var waited *redis.Cmd
		// With the text, since a NOSCRIPT would let the WAIT run first.
		_, err = c.Pipelined(ctx, func(p redis.Pipeliner) error {
			stored = r.script.flagged.Eval(ctx, p, r.keys, r.args...)
			waited = p.Do(ctx, "wait", s.opts.Replicas, s.opts.ReplicaTimeout.Milliseconds())
			return nil
		})
		if err != nil {
			return errors.Join(stored.Err(), err)
		}
		reply = stored.Val()
		replicas, err = waited.Int64()
		return err
	})
	if err != nil {
		return nil, s.explain(err)
	}
	errs, err := refusals(reply, n)
	if err != nil || replicas >= int64(s.opts.Replicas) {
		return errs, err
	}
	if errs == nil {
		errs = make([]error, n)
	}
	for i := range errs {
		if errs[i] == nil {
			errs[i] = fmt.Errorf("%w: %d of %d replicas", queue.ErrNotReplicated, replicas, s.opts.Replicas)
		}
	}
	return errs, nil
}

// primary returns the client of the node that has the queue.
func (s *store) primary(ctx context.Context) (redis.UniversalClient, error) {
	if cluster, ok := s.rdb.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, s.keys[0])
	}
	return s.rdb, nil
}
