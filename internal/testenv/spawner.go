package testenv

import (
	"os/exec"
	"runtime"
	"sync"
)

// A spawner starts every process from one thread. The kernel sends a child its
// death signal when the thread that forked it ends, so that thread has to live
// as long as the test binary.
type spawner struct {
	start sync.Once
	work  chan func()
	ended chan struct{}
}

func newSpawner() *spawner {
	return &spawner{work: make(chan func()), ended: make(chan struct{})}
}

// run starts cmd.
func (s *spawner) run(cmd *exec.Cmd) error {
	s.start.Do(func() { go s.loop() })
	result := make(chan error, 1)
	s.work <- func() { result <- cmd.Start() }
	return <-result
}

// loop is the goroutine that starts processes; stop ends it. It stays locked to
// its thread when it returns, which ends the thread.
func (s *spawner) loop() {
	defer close(s.ended)
	runtime.LockOSThread()
	for start := range s.work {
		start()
	}
}

// stop ends the thread, and with it any process that is left.
func (s *spawner) stop() {
	started := true
	s.start.Do(func() { started = false })
	close(s.work)
	if started {
		<-s.ended
	}
}
