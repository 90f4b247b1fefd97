package cache_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cachetest"
)

func TestMemoryStructures(t *testing.T) {
	t.Run("Bloom", func(t *testing.T) {
		cachetest.RunBloom(t, func(*testing.T) cache.Bloom { return cache.NewMemoryBloom() })
	})
	synctest.Test(t, func(t *testing.T) {
		cachetest.RunCounter(t, func(*testing.T) cache.Counter { return cache.NewMemoryCounter() })
	})
	synctest.Test(t, func(t *testing.T) { cachetest.RunLimiter(t, memoryLimiter) })
}

func memoryLimiter(t *testing.T, r cache.Rate) cache.Limiter {
	l, err := cache.NewMemoryLimiter(r)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestRateCheck(t *testing.T) {
	tests := []struct {
		rate cache.Rate
		ok   bool
	}{
		{cache.Rate{Events: 1, Per: time.Second}, true},
		{cache.Rate{Events: 1_000_000, Per: time.Second, Burst: 1}, true},
		{cache.Rate{}, false},
		{cache.Rate{Events: 1}, false},
		{cache.Rate{Events: 2_000_000, Per: time.Second}, false},
		{cache.Rate{Events: 1, Per: cache.Forever}, false},
		{cache.Rate{Events: 1, Per: time.Hour, Burst: math.MaxInt}, false},
	}
	for _, tt := range tests {
		if _, err := tt.rate.Check(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.rate, err)
		}
	}
}
