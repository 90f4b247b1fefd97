package cache_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/cohort-go/cohort/cache"
)

func BenchmarkHit(b *testing.B) {
	m, err := cache.NewMemory(cache.MemoryOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close(context.Background())
	c, err := cache.New(m, cache.Options{Prefix: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(context.Background())
	words := cache.MustOf(c, cache.JSON[string](), cache.Policy{TTL: time.Hour})
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = "user:" + strconv.Itoa(i)
		if err := words.Set(b.Context(), keys[i], keys[i]); err != nil {
			b.Fatal(err)
		}
	}
	load := func(context.Context, string) (string, error) { return "", nil }
	ctx := b.Context()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := words.GetOrLoad(ctx, keys[i%len(keys)], load); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHitBare is what a hit costs without any promise about other nodes.
func BenchmarkHitBare(b *testing.B) {
	c := otter.Must(&otter.Options[string, string]{
		MaximumSize: 10_000, ExpiryCalculator: otter.ExpiryWriting[string, string](time.Hour),
	})
	defer c.StopAllGoroutines()
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = "user:" + strconv.Itoa(i)
		c.Set(keys[i], keys[i])
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, ok := c.GetIfPresent(keys[i%len(keys)]); !ok {
			b.Fatal("missing")
		}
	}
}
