package cachetest

import (
	"errors"
	"time"

	"github.com/cohort-go/cohort/cache"
)

func expiry(t TB, b Backend) {
	s := b.Node(t)
	sec := b.second()
	put(t, s, "k", "v", func(w *cache.Write) { w.TTL, w.Stale = sec, 2*sec })
	want(t, s, "k", "v")
	time.Sleep(sec + sec/2)
	e, err := s.Get(t.Context(), "k")
	check(t, err, "Get of a stale entry")
	if e.Fresh() || e.Life <= 0 || e.Life > 2*sec || string(e.Value) != "v" {
		t.Errorf("fresh for %v, there for %v, value %q", e.TTL, e.Life, e.Value)
	}
	time.Sleep(2 * sec)
	if _, err := s.Get(t.Context(), "k"); !errors.Is(err, cache.ErrNotFound) {
		t.Errorf("after its life: %v, want ErrNotFound", err)
	}
	found, err := s.GetMany(t.Context(), []string{"k"})
	check(t, err, "GetMany")
	if len(found) != 0 {
		t.Errorf("GetMany still has it")
	}
	put(t, s, "kept", "v", func(w *cache.Write) { w.TTL, w.Stale = sec, cache.Forever })
	time.Sleep(sec + sec/2)
	if e, err := s.Get(t.Context(), "kept"); err != nil || e.Fresh() || e.Life < maxStay {
		t.Errorf("stale for ever: fresh for %v, there for %v, %v", e.TTL, e.Life, err)
	}
}

// maxStay is longer than any end that a Store would keep.
const maxStay = 1000 * 24 * time.Hour

func touch(t TB, b Backend) {
	s := b.Node(t)
	sec := b.second()
	put(t, s, "k", "v", func(w *cache.Write) { w.TTL = sec })
	found, err := s.(cache.Toucher).Touch(t.Context(), "k", time.Hour)
	check(t, err, "Touch")
	if !found {
		t.Errorf("no entry")
	}
	time.Sleep(sec * 3 / 2)
	want(t, s, "k", "v")
	if found, err := s.(cache.Toucher).Touch(t.Context(), "none", time.Hour); found || err != nil {
		t.Errorf("Touch of nothing: %v, %v", found, err)
	}
	_, err = s.(cache.Toucher).Touch(t.Context(), "k", cache.Forever)
	check(t, err, "Touch")
	if e, err := s.Get(t.Context(), "k"); err != nil || e.TTL != cache.Forever {
		t.Errorf("TTL %v, %v; want Forever", e.TTL, err)
	}
	_, err = s.(cache.Toucher).Touch(t.Context(), "k", time.Hour)
	check(t, err, "Touch")
	if e, err := s.Get(t.Context(), "k"); err != nil || e.TTL > time.Hour || e.Life > time.Hour {
		t.Errorf("an hour after it was for ever: fresh for %v, there for %v, %v", e.TTL, e.Life, err)
	}
	put(t, s, "kept", "v", func(w *cache.Write) { w.Stale = cache.Forever })
	_, err = s.(cache.Toucher).Touch(t.Context(), "kept", time.Minute)
	check(t, err, "Touch")
	if e, err := s.Get(t.Context(), "kept"); err != nil || e.TTL > time.Minute || e.Life < maxStay {
		t.Errorf("stale for ever, after Touch: fresh for %v, there for %v, %v", e.TTL, e.Life, err)
	}
	put(t, s, "endless", "v", func(w *cache.Write) { w.TTL, w.Stale = cache.Forever, time.Hour })
	_, err = s.(cache.Toucher).Touch(t.Context(), "endless", time.Minute)
	check(t, err, "Touch")
	if e, err := s.Get(t.Context(), "endless"); err != nil || e.TTL > time.Minute || e.Life > time.Minute {
		t.Errorf("fresh for ever, after Touch: fresh for %v, there for %v, %v", e.TTL, e.Life, err)
	}
}
