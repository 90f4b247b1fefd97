package workerid_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridtest"
)

func TestMemory(t *testing.T) {
	workeridtest.RunVirtual(t, func(*testing.T) workeridtest.Server {
		m := new(workerid.Memory)
		return workeridtest.Server{
			Backend: m,
			Elapse:  func(d time.Duration) { time.Sleep(d); synctest.Wait() },
			Lose:    m.Clear,
		}
	})
}
