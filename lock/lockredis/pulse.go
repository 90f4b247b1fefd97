package lockredis

import (
	"sync"
	"time"
)

// How long a subscription may say nothing while somebody relies on it.
const (
	leastSilence = 400 * time.Millisecond // after news
	partSilence  = 4                      // and later this part of the time since the news
	leastGrace   = 400 * time.Millisecond // for the answer to a question
	mostGrace    = 2 * time.Second
)

// A pulse says when a silent subscription must prove that it lives. While news
// comes, and at the begin of a wait, that is soon. The longer there was none, the
// rarer it is: a wait costs so many proofs as the logarithm of its length.
// All methods are safe for concurrent use.
type pulse struct {
	mu    sync.Mutex
	heard time.Time     // the last message, of whatever kind
	news  time.Time     // the last event, or the begin of a wait
	until time.Time     // so long somebody relies on being told
	grace time.Duration // how long a proof may take
	wake  chan struct{} // holds one wish to look at due again
}

func newPulse() *pulse { return &pulse{grace: leastGrace, wake: make(chan struct{}, 1)} }

// relied notes at now that somebody relies on being told until then, and does since
// the given time; zero says nothing of that.
func (p *pulse) relied(now, since, until time.Time) {
	p.mu.Lock()
	idle := !p.until.After(now)
	if until.After(p.until) {
		p.until = until
	}
	if idle {
		since = now
	}
	if since.After(p.news) {
		p.news = since
	}
	p.mu.Unlock()
	if since.Equal(now) {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// beat notes a message.
func (p *pulse) beat(now time.Time, news bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = now
	if news {
		p.news = now
	}
}

// due says when the next proof is, if somebody relies on being told.
func (p *pulse) due(now time.Time) (at time.Time, relied bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard.Add(max(leastSilence, p.heard.Sub(p.news)/partSilence)), p.until.After(now)
}

// heardSince reports whether anything was heard after at.
func (p *pulse) heardSince(at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard.After(at)
}

// connected notes how long a new subscription took: more round trips than the
// answer to a question does.
func (p *pulse) connected(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grace = min(max(took, leastGrace), mostGrace)
}

// patience is how long to wait for the answer to a question.
func (p *pulse) patience() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.grace
}
