package workerid_test

import (
	"maps"
	"strings"
)

// losses makes the server lose data in each way that a Redis can, two gaps apart.
type losses struct {
	w       *world
	redis   *simRedis
	plain   *expiringServer
	gap     int64
	history []moment // the server's data at earlier times
	swaps   int
	due     bool // the next process that leaves sees a loss
}

type moment struct {
	data  simData
	token map[int]string
	until map[int]int64
}

// record keeps what a replica or a snapshot would have.
func (s *losses) record() {
	s.history = append(s.history, moment{s.redis.data.clone(), maps.Clone(s.plain.token), maps.Clone(s.plain.until)})
	if len(s.history) > 200 {
		s.history = s.history[1:]
	}
	s.w.after(s.w.between(20, 100), s.record)
}

// lose loses data now, and again two gaps after the loss was noticed: after the
// first round trip that began a new epoch.
func (s *losses) lose() {
	w := s.w
	kind := w.rng.IntN(5)
	w.notef("loss of kind %d", kind)
	switch kind {
	case 0: // flush
		s.restore(moment{})
	case 1: // restart from an old snapshot
		s.restore(s.history[w.rng.IntN(len(s.history))])
		s.redis.runID, s.redis.repID = w.text("run"), w.text("rep")
	case 2: // failover that lost the last writes
		s.restore(s.history[max(0, len(s.history)-1-w.rng.IntN(10))])
		s.redis.runID, s.redis.repID = w.text("run"), w.text("rep")
	case 3: // failover that lost nothing
		s.redis.repID = w.text("rep")
	case 4: // switchover between the same two, with a replica that lags
		s.restore(s.history[max(0, len(s.history)-1-w.rng.IntN(10))])
		s.swaps++
		s.redis.runID, s.redis.repID = []string{"run1", "run2"}[s.swaps%2], w.text("rep")
	}
	s.await(s.epoch())
}

func (s *losses) restore(m moment) {
	s.redis.data = m.data.clone()
	s.plain.token, s.plain.until = make(map[int]string), make(map[int]int64)
	maps.Copy(s.plain.token, m.token)
	maps.Copy(s.plain.until, m.until)
}

func (s *losses) epoch() string {
	for _, h := range s.redis.data.hash {
		return strings.Fields(h["epoch"] + " none")[0]
	}
	return ""
}

func (s *losses) await(old string) {
	if e := s.epoch(); e != old && e != "" {
		s.w.after(2*s.gap+s.w.between(0, 500), s.lurk)
		return
	}
	s.w.after(5, func() { s.await(old) })
}

// lurk waits for a process that leaves: while a number passes from one to the next,
// most can go wrong.
func (s *losses) lurk() {
	s.due = true
	s.w.left = func() { s.w.after(s.w.between(50, 300), s.strike) }
	s.w.after(2*s.gap, s.strike)
}

func (s *losses) strike() {
	if s.due {
		s.due = false
		s.lose()
	}
}
