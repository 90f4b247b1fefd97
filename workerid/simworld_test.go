package workerid_test

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"
)

// world is a deterministic cluster: one clock, a queue of events, a network, one
// Redis, and processes that stamp IDs.
type world struct {
	rng    *rand.Rand
	now    int64 // true time, Unix milliseconds
	queue  events
	count  int
	faults faults

	nodes      []*process
	issued     map[stamp]int // → process that stamped it
	duplicates int
	texts      int
	trace      func(format string, args ...any) // or nil
	policy     func(*process) policy
	cut        map[*process]int64 // until when the process is cut off
	left       func()             // called when a process begins to leave, or nil
}

// faults say what may happen to a world.
type faults struct {
	name   string
	clocks bool // clocks are anywhere, and step
	losses bool // the server loses data, two gaps apart
	stops  bool // processes stop, are suspended, are cut off, and die
}

// stamp is an ID.
type stamp struct {
	number   int
	tick     int64
	sequence int
}

// policy is how a process comes to the IDs that it stamps.
type policy interface {
	begin()                    // asks for a number
	stamp() (s stamp, ok bool) // the next ID
	end(gone func())           // the process ends in good order
}

type event struct {
	at  int64
	seq int
	do  func()
}

type events []event

func (q *events) Len() int      { return len(*q) }
func (q *events) Swap(i, j int) { (*q)[i], (*q)[j] = (*q)[j], (*q)[i] }
func (q *events) Push(x any)    { *q = append(*q, x.(event)) }

func (q *events) Less(i, j int) bool {
	a, b := (*q)[i], (*q)[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (q *events) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

func (w *world) after(d int64, do func()) {
	w.count++
	heap.Push(&w.queue, event{w.now + max(d, 0), w.count, do})
}

func (w *world) between(low, high int64) int64 { return low + w.rng.Int64N(high-low+1) }

func (w *world) text(prefix string) string {
	w.texts++
	return fmt.Sprintf("%s%d", prefix, w.texts)
}

// notef traces what happens.
func (w *world) notef(format string, args ...any) {
	if w.trace != nil {
		w.trace("%d "+format, append([]any{w.now}, args...)...)
	}
}

// run lets d milliseconds pass.
func (w *world) run(d int64) {
	end := w.now + d
	for len(w.queue) > 0 && w.queue[0].at <= end {
		e := heap.Pop(&w.queue).(event)
		w.now = e.at
		e.do()
	}
	w.now = end
}

// process is one life of a node.
type process struct {
	w        *world
	id       int
	offset   int64 // of its wall clock
	born     int64
	asleep   int64 // how long the monotonic clock stood still so far
	stopped  bool
	unlucky  bool // half of its messages are late
	leaving  bool // it makes no more IDs, and ends once its number is given back
	dead     bool
	deferred []func()
	policy   policy
}

func (w *world) start(slot int) {
	w.count++
	p := &process{w: w, id: w.count, born: w.now, offset: w.clockError()}
	w.nodes[slot] = p
	p.policy = w.policy(p)
	p.policy.begin()
	w.after(w.between(1, 40), p.work)
}

// clockError is how wrong a wall clock is: within the skew where data gets lost.
func (w *world) clockError() int64 {
	if !w.faults.clocks {
		return w.between(-simSkew/2, simSkew/2)
	}
	hour := time.Hour.Milliseconds()
	return []int64{0, -hour, hour, w.between(-5000, 5000)}[w.rng.IntN(4)]
}

func (p *process) wall() time.Time { return time.UnixMilli(p.w.now + p.offset) }

func (p *process) elapsed() time.Duration {
	return time.Duration(p.w.now-p.born-p.asleep) * time.Millisecond
}

// do runs f when the process can run: after a stop everything that was waiting
// happens in any order.
func (p *process) do(f func()) {
	switch {
	case p.dead:
	case p.stopped:
		p.deferred = append(p.deferred, f)
	default:
		f()
	}
}

// work stamps IDs now and then, sometimes many at once.
func (p *process) work() {
	p.do(func() {
		if p.leaving {
			return
		}
		for range []int{1, 1, 2, 40}[p.w.rng.IntN(4)] {
			s, ok := p.policy.stamp()
			if !ok {
				break
			}
			if _, again := p.w.issued[s]; again {
				p.w.duplicates++
				p.w.notef("process %d repeats %+v of process %d", p.id, s, p.w.issued[s])
			}
			p.w.issued[s] = p.id
		}
		p.w.after(p.w.between(5, 60), p.work)
	})
}

// stop freezes the process for d; a suspend stops its monotonic clock too.
func (p *process) stop(d int64, suspend bool) {
	if p.stopped || p.dead {
		return
	}
	p.stopped = true
	p.w.notef("process %d stops for %d, suspended: %v", p.id, d, suspend)
	p.w.after(d, func() {
		p.stopped = false
		if suspend {
			p.asleep += d
		}
		waiting := p.deferred
		p.deferred = nil
		p.w.rng.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
		for _, f := range waiting {
			p.do(f)
		}
	})
}

// leave has the process give its number back, over a network that may be bad just
// then, and end.
func (p *process) leave() {
	if p.leaving {
		return
	}
	p.leaving, p.unlucky = true, p.w.faults.stops && p.w.rng.IntN(2) == 0
	if p.w.left != nil {
		p.w.left()
	}
	p.policy.end(func() { p.dead = true })
}

// call sends a request to the server, which runs serve, and hands the reply to
// receive unless it takes longer than patience: then failed is called instead.
// Requests and replies get lost or arrive late.
func (p *process) call(patience int64, serve func(), receive, failed func()) {
	w, over := p.w, false
	w.after(patience, func() {
		p.do(func() {
			if !over {
				over = true
				failed()
			}
		})
	})
	travel := func(then func()) {
		switch {
		case w.now < w.cut[p] || w.faults.stops && w.rng.IntN(50) == 0: // lost
		case p.unlucky && w.rng.IntN(2) == 0:
			w.after(w.between(50, 500), then)
		case w.faults.stops && w.rng.IntN(20) == 0:
			w.after(w.between(100, 3000), then)
		default:
			w.after(w.between(0, 5), then)
		}
	}
	travel(func() {
		serve()
		travel(func() {
			p.do(func() {
				if !over {
					over = true
					receive()
				}
			})
		})
	})
}

// trouble lets something happen to a process, again and again.
func (w *world) trouble() {
	w.after(w.between(100, 900), w.trouble)
	slot := w.rng.IntN(len(w.nodes))
	p := w.nodes[slot]
	if w.faults.clocks && w.rng.IntN(4) == 0 {
		p.offset = w.clockError()
	}
	if !w.faults.stops {
		return
	}
	switch w.rng.IntN(6) {
	case 0:
		p.stop(w.between(10, 3000), false)
	case 1:
		p.stop(w.between(10, 3000), true)
	case 2:
		w.cut[p] = w.now + w.between(50, 2500)
	case 3:
		p.dead = true
		w.after(w.between(0, 500), func() { w.start(slot) })
	case 4:
		p.do(p.leave)
		w.after(w.between(0, 50), func() { w.start(slot) })
	}
}
