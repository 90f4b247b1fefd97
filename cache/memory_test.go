package cache_test

import (
	"context"
	"testing"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cachetest"
)

func TestMemory(t *testing.T) {
	cachetest.RunVirtual(t, func(t *testing.T) cachetest.Backend {
		m, err := cache.NewMemory(cache.MemoryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = m.Close(context.Background()) })
		return cachetest.Backend{Node: func(cachetest.TB) cache.Store { return m }}
	})
}

func TestMutantsAreNoticed(t *testing.T) { cachetest.RunMutants(t) }

func TestEveryPromiseIsProven(t *testing.T) {
	lines, err := cachetest.Promises()
	if err != nil {
		t.Error(err)
	}
	for _, line := range lines {
		t.Log(line)
	}
}
