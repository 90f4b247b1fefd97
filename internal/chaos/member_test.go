package chaos

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
)

// A member is one node of a course: its process now, and those it had.
type member struct {
	name   string
	course *course

	process  *testenv.ChildProcess
	life     int
	ready    chan struct{}
	finished chan struct{}
	over     chan struct{} // its output has ended
	closed   string        // what it said at its end
}

// start begins another life.
func (m *member) start() {
	m.life++
	c := m.course
	m.process = testenv.Child(c, "node", append([]string{
		"-name=" + m.name, fmt.Sprint("-life=", m.life), fmt.Sprint("-nodes=", c.nodes), "-dir=" + c.dir,
		"-ledger=" + c.ledger.URL, "-parts=" + strings.Join(c.parts, ","), "-slow=" + c.slow,
	}, append(c.stage.variables(), c.more...)...)...)
	m.ready, m.finished, m.over, m.closed = make(chan struct{}), make(chan struct{}), make(chan struct{}), ""
	go m.hear(m.process.Lines(), m.ready, m.finished, m.over)
}

func (m *member) hear(lines <-chan string, ready, finished, over chan struct{}) {
	defer close(over)
	for line := range lines {
		switch {
		case line == "ready":
			close(ready)
		case line == "finished":
			close(finished)
		case strings.HasPrefix(line, "closed "):
			m.closed = line
		}
	}
}

// await waits for something that the member says, or its unexpected end.
func (m *member) await(what string, said <-chan struct{}, patience time.Duration) error {
	select {
	case <-said:
		return nil
	case <-m.over:
		return fmt.Errorf("%s ended before it was %s:\n%s", m.name, what, m.process.Log())
	case <-time.After(patience):
		return fmt.Errorf("%s was not %s within %v:\n%s", m.name, what, patience, m.process.Log())
	}
}

// kill ends the process as a crash would and starts another.
func (m *member) kill() {
	m.process.Kill()
	m.course.mu.Lock()
	m.course.deaths[fmt.Sprint(m.name, ".", m.life)] = time.Now()
	m.course.killed++
	m.course.mu.Unlock()
	<-m.over
	m.start()
}

// quit ends the process in order and judges how it went.
func (m *member) quit(order func()) error {
	select {
	case <-m.over:
		return fmt.Errorf("%s ended by itself:\n%s", m.name, m.process.Log())
	default:
	}
	order()
	select {
	case <-m.over:
	case <-time.After(30 * time.Second):
		return fmt.Errorf("%s does not end:\n%s", m.name, m.process.Log())
	}
	if err := m.process.Wait(); err != nil {
		return fmt.Errorf("%s: %w:\n%s", m.name, err, m.process.Log())
	}
	var took, left int
	if _, err := fmt.Sscanf(m.closed, "closed %d %d", &took, &left); err != nil {
		return fmt.Errorf("%s did not close: %q:\n%s", m.name, m.closed, m.process.Log())
	}
	m.course.closedIn(time.Duration(took) * time.Millisecond)
	if left > 0 {
		return errors.New(m.name + " left goroutines behind:\n" + m.process.Log())
	}
	return nil
}
