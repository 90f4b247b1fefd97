package main

import (
	"github.com/cohort-go/cohort/internal/peerbench/cache"
	"github.com/cohort-go/cohort/internal/peerbench/frame"
	"github.com/cohort-go/cohort/internal/peerbench/ids"
	"github.com/cohort-go/cohort/internal/peerbench/lock"
	"github.com/cohort-go/cohort/internal/peerbench/pubsub"
	"github.com/cohort-go/cohort/internal/peerbench/queue"
)

// areas lists what can be measured.
func areas() []frame.Area {
	return []frame.Area{
		cache.Area(),
		ids.Area(),
		lock.Area(),
		pubsub.Area(),
		queue.Area(),
	}
}
