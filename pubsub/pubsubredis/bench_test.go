package pubsubredis_test

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
)

// One operation is one message that every node has handled.
func BenchmarkSignal(b *testing.B) {
	for _, nodes := range []int{1, 8} {
		b.Run(strconv.Itoa(nodes)+" nodes", func(b *testing.B) {
			client := testenv.Redis(b).Client(b)
			var handled sync.WaitGroup
			for range nodes {
				_, err := node(b, client, pubsubredis.Options{}).Subscribe(b.Context(), "c", func(context.Context, *pubsub.Delivery) error {
					handled.Done()
					return nil
				}, pubsub.SubscribeOptions{QueueSize: 1 << 20})
				if err != nil {
					b.Fatal(err)
				}
			}
			writer := node(b, client, pubsubredis.Options{})
			messages := make([]pubsub.Message, 64)
			for i := range messages {
				messages[i] = pubsub.Message{Channel: "c", Payload: make([]byte, 128)}
			}
			b.ReportAllocs()
			b.SetParallelism(2)
			b.RunParallel(func(pb *testing.PB) {
				for k := 0; pb.Next(); k++ {
					if k%len(messages) > 0 {
						continue // it went with the call before
					}
					handled.Add(nodes * len(messages))
					if _, err := writer.Publish(b.Context(), messages...); err != nil {
						b.Fatal(err)
					}
				}
			})
			handled.Wait()
		})
	}
}
