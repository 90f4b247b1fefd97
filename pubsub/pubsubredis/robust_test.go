package pubsubredis_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
)

// Invariant 5: entries and handlers of others do no harm, and are counted.
func TestForeignBrokenAndPanicking(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
		ps := node(t, c, pubsubredis.Options{})
		streams, _ := busKeys(t, c, "main", 1)
		got := observe(t, ps, "c", pubsub.SubscribeOptions{})
		_, err := ps.Subscribe(t.Context(), "c", func(context.Context, *pubsub.Delivery) error {
			_ = []int{}[0:][1]
			return nil
		}, pubsub.SubscribeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		publish(t, ps, "c", "1")
		if err := c.XAdd(t.Context(), &redis.XAddArgs{Stream: streams[0], Values: []string{"who", "knows"}}).Err(); err != nil {
			t.Fatal(err)
		}
		publish(t, ps, "c", "2")
		appendRaw(t, c, []byte{1, 0, 0}) // cut off in the middle
		publish(t, ps, "c", "3")
		got.want(t, "1", "2", "3")
		replay := observe(t, ps, "c", pubsub.SubscribeOptions{From: pubsub.All()})
		replay.want(t, "1", "2", "3")
		eventually(t, "Stats counts them", func() bool {
			s := ps.Stats()
			return s.Panics == 3 && s.Malformed >= 1 && s.Foreign >= 1
		})
	})
}

// A message and the data that it tells of are stored together, and it comes in
// its place without a Gap.
func TestAppendTo(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
		ps := node(t, c, pubsubredis.Options{})
		got := observe(t, ps, "c", pubsub.SubscribeOptions{})
		key := "data:{" + ps.HashTag("c") + "}"
		publish(t, ps, "c", "1")
		tx := c.TxPipeline()
		tx.Set(t.Context(), key, "v", 0)
		if err := ps.AppendTo(t.Context(), tx, pubsub.Message{Channel: "c", Payload: []byte("2")}); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		publish(t, ps, "c", "3")
		got.want(t, "1", "2", "3")

		if err := ps.AppendTo(t.Context(), c.TxPipeline(), pubsub.Message{Channel: ""}); !errors.Is(err, pubsub.ErrInvalidChannel) {
			t.Errorf("bad channel: %v", err)
		}
		if redisconn.IsCluster(c) {
			tx := c.TxPipeline()
			tx.Set(t.Context(), "elsewhere", "v", 0)
			err := ps.AppendTo(t.Context(), tx, pubsub.Message{Channel: "c"})
			if !errors.Is(err, pubsubredis.ErrCrossSlot) {
				t.Errorf("a key of another slot: %v", err)
			}
		}
	})
}

func TestReplicas(t *testing.T) {
	alone := node(t, testenv.Redis(t).Client(t), pubsubredis.Options{ReplicaTimeout: 50 * time.Millisecond})
	got := observe(t, alone, "c", pubsub.SubscribeOptions{})
	receipts, err := alone.Publish(t.Context(), pubsub.Message{Channel: "c", Payload: []byte("1"), Replicas: 1})
	if !errors.Is(err, pubsub.ErrNotReplicated) || receipts[0].Position.IsZero() {
		t.Errorf("without replicas: %v, %v", receipts, err)
	}
	got.want(t, "1") // it is stored all the same

	replicated := node(t, testenv.Sentinel(t).Client(t), pubsubredis.Options{})
	if _, err := replicated.Publish(t.Context(), pubsub.Message{Channel: "c", Replicas: 1}); err != nil {
		t.Errorf("with a replica: %v", err)
	}
}

func TestClusterReplicas(t *testing.T) {
	ps := node(t, testenv.RedisCluster(t).Client(t), pubsubredis.Options{})
	if _, err := ps.Publish(t.Context(), pubsub.Message{Channel: "c", Replicas: 1}); err != nil {
		t.Errorf("with a replica: %v", err)
	}
}

func TestRefusedClients(t *testing.T) {
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}})
	replicas := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}, ReadOnly: true})
	defer ring.Close()
	defer replicas.Close()
	for name, c := range map[string]redis.UniversalClient{"nil": nil, "ring": ring, "reads from replicas": replicas} {
		_, err := pubsubredis.New(c, pubsubredis.Options{})
		if _, ok := errors.AsType[*redisconn.UnsupportedClientError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer client.Close()
	for _, o := range []pubsubredis.Options{
		{Namespace: "{x}"}, {Buses: -1}, {MaxLen: -1}, {MaxAge: -2}, {ReplicaTimeout: -1}, {Options: pubsub.Options{MaxPayload: -1}},
	} {
		if _, err := pubsubredis.New(client, o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// Databases of one server do not hear each other.
func TestDatabasesAreApart(t *testing.T) {
	server := testenv.Redis(t)
	zero := node(t, server.Client(t), pubsubredis.Options{})
	one := node(t, server.Client(t, func(o *redis.Options) { o.DB = 1 }), pubsubredis.Options{})
	inZero := observe(t, zero, "c", pubsub.SubscribeOptions{})
	inOne := observe(t, one, "c", pubsub.SubscribeOptions{})
	publish(t, zero, "c", "zero")
	publish(t, one, "c", "one")
	inZero.want(t, "zero")
	inOne.want(t, "one")
}

// The rights that the documentation lists are enough.
func TestRights(t *testing.T) {
	server := testenv.Redis(t)
	admin := server.Client(t)
	client := withRights(t, server)
	ps := node(t, client, pubsubredis.Options{MaxAge: time.Minute})
	got := observe(t, ps, "c", pubsub.SubscribeOptions{})
	publish(t, ps, "c", "1")
	got.want(t, "1")
	if _, err := ps.Barrier(t.Context()); err != nil {
		t.Error(err)
	}

	if err := admin.Do(t.Context(), "ACL", "SETUSER", "app", "-subscribe").Err(); err != nil {
		t.Fatal(err)
	}
	denied := node(t, client, pubsubredis.Options{Bus: "other"})
	_, err := denied.Subscribe(t.Context(), "c", func(context.Context, *pubsub.Delivery) error { return nil }, pubsub.SubscribeOptions{})
	if !errors.Is(err, pubsub.ErrNotReady) {
		t.Errorf("without the right to subscribe: %v", err)
	}
	if err := admin.Do(t.Context(), "ACL", "SETUSER", "app", "+xread").Err(); err != nil {
		t.Fatal(err)
	}
	tail := node(t, client, pubsubredis.Options{Bus: "other", Tail: true})
	by := observe(t, tail, "c", pubsub.SubscribeOptions{})
	publish(t, tail, "c", "1", "2")
	by.want(t, "1", "2")
}
