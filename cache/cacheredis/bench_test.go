package cacheredis_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
	"github.com/cohort-go/cohort/internal/testenv"
)

// BenchmarkIO is a read and a write that go to the server, beside those of the plain
// client.
func BenchmarkIO(b *testing.B) {
	client := testenv.Redis(b).Client(b)
	store, err := cacheredis.New(client, cacheredis.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close(b.Context())
	c, err := cache.New(store, cache.Options{Prefix: "bench", L1: cache.L1{MaxEntries: -1}})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(b.Context())
	words := cache.MustOf(c, cache.JSON[string](), cache.Policy{TTL: time.Hour})
	if err := store.Ready(b.Context()); err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	for name, op := range map[string]func() error{
		"Set":      func() error { return words.Set(ctx, "k", "value") },
		"Get":      func() error { _, err := words.Get(ctx, "k"); return err },
		"PlainSet": func() error { return client.Set(ctx, "k", `"value"`, time.Hour).Err() },
		"PlainGet": func() error {
			raw, err := client.Get(ctx, "k").Bytes()
			if err != nil {
				return err
			}
			var v string
			return json.Unmarshal(raw, &v)
		},
	} {
		if err := client.Set(ctx, "k", `"value"`, 0).Err(); err != nil {
			b.Fatal(err)
		}
		if err := words.Set(ctx, "k", "value"); err != nil {
			b.Fatal(err)
		}
		for _, goroutines := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", name, goroutines), func(b *testing.B) {
				b.ReportAllocs()
				if goroutines == 1 {
					for b.Loop() {
						if err := op(); err != nil {
							b.Fatal(err)
						}
					}
					return
				}
				b.SetParallelism(goroutines / 2)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := op(); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}
