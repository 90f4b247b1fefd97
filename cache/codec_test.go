package cache_test

import (
	"testing"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cachetest"
)

func TestJSON(t *testing.T) { cachetest.RunCodec(t, cache.JSON[cachetest.Document]()) }
