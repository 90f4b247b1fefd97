package workerid_test

import (
	"sync"
	"testing"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// TestTwoGenerators has two generators make IDs from one lease, hands the number
// on, and does it again.
func TestTwoGenerators(t *testing.T) {
	server := testenv.Redis(t)
	a, err := workeridredis.New(server.Client(t), workeridredis.Options{Options: fineOptions(1)})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(t.Context())
	seen := make(map[snowflake.ID]bool)
	for range 3 {
		l, err := a.Acquire(t.Context(), workerid.Request{})
		if err != nil {
			t.Fatal(err)
		}
		made := make([][]snowflake.ID, 4)
		var wg sync.WaitGroup
		for i := range made {
			if i%2 == 0 {
				wg.Go(func() { made[i] = fill(t, l) })
			} else {
				wg.Go(func() { made[i] = one(t, l) })
			}
		}
		wg.Wait()
		for _, ids := range made {
			for _, id := range ids {
				if seen[id] {
					t.Fatalf("%d was made twice", id)
				}
				seen[id] = true
			}
		}
		if err := l.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d IDs", len(seen))
}

func generator(t *testing.T, l *workerid.Lease) *snowflake.Generator {
	g, err := snowflake.New(l, snowflake.Options{Layout: fineLayout()})
	if err != nil {
		t.Error(err)
	}
	return g
}

// one makes IDs one by one.
func one(t *testing.T, l *workerid.Lease) (ids []snowflake.ID) {
	g := generator(t, l)
	for range 20_000 {
		id, err := g.Next(t.Context())
		if err != nil {
			t.Error(err)
			break
		}
		ids = append(ids, id)
	}
	return ids
}

// fill makes IDs by the hundred.
func fill(t *testing.T, l *workerid.Lease) []snowflake.ID {
	g := generator(t, l)
	ids := make([]snowflake.ID, 20_000)
	for i := 0; i < len(ids); i += 100 {
		if err := g.Fill(t.Context(), ids[i:i+100]); err != nil {
			t.Error(err)
			return ids[:i]
		}
	}
	return ids
}
