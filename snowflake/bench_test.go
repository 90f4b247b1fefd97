package snowflake_test

import (
	"sync/atomic"
	"testing"

	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

// unlimited returns a Generator whose layout has more IDs than this machine can
// make; Wide63 ends at 131 million a second.
func unlimited(tb testing.TB) *snowflake.Generator {
	tb.Helper()
	layout := snowflake.Wide63()
	layout.WorkerBits, layout.SequenceBits = 1, 21
	g, err := snowflake.New(workerid.Static(1), snowflake.Options{Layout: layout})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(g.Close)
	if _, err := g.Next(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return g
}

func BenchmarkNext(b *testing.B) {
	g, ctx := unlimited(b), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Next(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNextParallel(b *testing.B) {
	g, ctx := unlimited(b), b.Context()
	b.ReportAllocs()
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := g.Next(ctx); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkFill reports the time of one ID of 256 apart.
func BenchmarkFill(b *testing.B) {
	g, ctx := unlimited(b), b.Context()
	ids := make([]snowflake.ID, 256)
	b.ReportAllocs()
	for b.Loop() {
		if err := g.Fill(ctx, ids); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(ids)), "ns/ID")
}

// BenchmarkAtomicAdd is what a shared counter costs at least.
func BenchmarkAtomicAdd(b *testing.B) {
	var n atomic.Uint64
	for b.Loop() {
		n.Add(1)
	}
}
