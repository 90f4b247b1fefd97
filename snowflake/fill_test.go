package snowflake_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/snowflake"
)

func TestFill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := generator(t, newWorker(5, 0), snowflake.Options{Layout: tiny()})
		one := next(t, g, 1)
		ids := make([]snowflake.ID, 100)
		begin := time.Now()
		if err := g.Fill(t.Context(), ids); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 5*time.Second { // 101 IDs are 7 ticks, two of them at once
			t.Errorf("100 IDs took %v, want 5s", took)
		}
		all := slices.Concat(one, ids)
		if !slices.IsSorted(all) {
			t.Errorf("not ascending: %v", all)
		}
		ledger{}.add(t, all...)
		for i, id := range all {
			p, err := tiny().Decompose(id)
			if want := (snowflake.Parts{Time: time.UnixMilli(bubbleStart + int64(i/16)*1000).UTC(), Worker: 5, Sequence: int64(i % 16)}); err != nil || p != want {
				t.Fatalf("ID %d is %+v, want %+v", i, p, want)
			}
		}
	})
}

func TestFillAllOrNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := generator(t, newWorker(0, 0), snowflake.Options{Layout: tiny()})
		if err := g.Fill(t.Context(), nil); err != nil {
			t.Errorf("Fill of nothing: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		ids := make([]snowflake.ID, 100)
		err := g.Fill(ctx, ids)
		if !errors.Is(err, context.DeadlineExceeded) || time.Now().UnixMilli() != bubbleStart+1500 {
			t.Errorf("Fill = %v at %v, want the deadline", err, time.Now())
		}
		if slices.ContainsFunc(ids, func(id snowflake.ID) bool { return id != 0 }) {
			t.Errorf("it failed but left IDs: %v", ids)
		}
	})
}
