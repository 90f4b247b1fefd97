package lockredis_test

import (
	"testing"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

func BenchmarkPair(b *testing.B) {
	l, err := lockredis.New(testenv.Redis(b).Client(b), lockredis.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	defer l.Close(ctx)
	b.ReportAllocs()
	for b.Loop() {
		lease, err := l.Acquire(ctx, "one", lock.Request{})
		if err != nil {
			b.Fatal(err)
		}
		if err := lease.Release(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
