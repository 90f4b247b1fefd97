package pubsubredis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/pubsub"
)

// ErrCrossSlot reports a transaction on a Cluster whose keys and messages do not
// share a hash slot.
var ErrCrossSlot = errors.New("keys and messages of the transaction are in different slots")

// AppendTo queues messages on a transaction, so that the data that it changes
// and the signals that tell of it are stored together or not at all:
//
//	tx := client.TxPipeline()
//	tx.Set(ctx, key, value, 0)
//	err := ps.AppendTo(ctx, tx, pubsub.Message{Channel: "config"})
//	_, err = tx.Exec(ctx)
//
// Whether the messages were stored is what Exec reports. On a Cluster all keys
// of the transaction must carry the hash tag of the messages' bus; see
// [PubSub.HashTag].
func (p *PubSub) AppendTo(ctx context.Context, tx redis.Pipeliner, messages ...pubsub.Message) error {
	if err := p.appendTo(ctx, tx, messages); err != nil {
		channel := ""
		if len(messages) > 0 {
			channel = messages[0].Channel
		}
		return &pubsub.OpError{Op: "append", Name: channel, Err: err}
	}
	return nil
}

func (p *PubSub) appendTo(ctx context.Context, tx redis.Pipeliner, messages []pubsub.Message) error {
	entries, err := p.Entries(messages...)
	if err != nil {
		return err
	}
	cluster := redisconn.IsCluster(p.backend.client)
	used := ""
	for i, batch := range entries {
		if len(batch) == 0 {
			continue
		}
		stream := p.backend.buses[i].stream
		if cluster {
			if used != "" {
				return fmt.Errorf("%w: the channels are on different buses", ErrCrossSlot)
			}
			used = stream.Tag()
			if key, ok := outside(tx.Cmds(), used); !ok {
				return fmt.Errorf("%w: key %q does not have the hash tag {%s}", ErrCrossSlot, key, used)
			}
		}
		stream.QueueTx(ctx, tx, batch...)
	}
	return nil
}

// outside returns the first key of cmds that does not have the hash tag. It looks
// at the first key of each command; Exec refuses what that leaves.
func outside(cmds []redis.Cmder, tag string) (key string, ok bool) {
	for _, cmd := range cmds {
		args := cmd.Args()
		if len(args) < 2 {
			continue
		}
		key := fmt.Sprint(args[1])
		if name := strings.ToLower(cmd.Name()); name == "eval" || name == "evalsha" {
			if len(args) < 4 || fmt.Sprint(args[2]) == "0" {
				continue
			}
			key = fmt.Sprint(args[3])
		}
		if !strings.Contains(key, "{"+tag+"}") {
			return key, false
		}
	}
	return "", true
}

// HashTag is the hash tag, without braces, that keys need on a Cluster to be in
// one transaction with messages for the channel.
func (p *PubSub) HashTag(channel string) string {
	return p.backend.buses[p.BusOf(channel)].stream.Tag()
}
