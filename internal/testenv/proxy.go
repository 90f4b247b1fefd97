package testenv

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// A Direction is a way through a [Proxy].
type Direction int

// The ways through a proxy.
const (
	ToServer Direction = 1 << iota
	ToClient
	Both = ToServer | ToClient
)

// A Proxy is a network between clients and one server that can be disturbed. It
// passes bytes on unchanged until told otherwise. Its methods are safe for
// concurrent use and apply to connections that are open as well as new ones.
type Proxy struct {
	listener net.Listener
	loops    sync.WaitGroup

	mu       sync.Mutex
	target   string
	closed   bool
	links    map[*link]struct{}
	accepted int
	replies  int
	delay    time.Duration
	jitter   time.Duration
	holes    Direction
	healed   chan struct{} // closed when no direction is a hole
	cut      verdict       // what happens to a reply, passed for none
	left     int           // replies that pass before the cut
}

// NewProxy puts a proxy in front of the server at target; it ends with t.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("testenv: proxy: %v", err)
	}
	p := &Proxy{listener: listener, target: target, links: map[*link]struct{}{}, healed: make(chan struct{})}
	close(p.healed)
	p.loops.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr is the host and port that clients connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Target sends connections made from now on to another server.
func (p *Proxy) Target(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = addr
}

// Delay holds everything up for d, in each direction, give or take a random
// part of jitter. The order stays.
func (p *Proxy) Delay(d, jitter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay, p.jitter = d, jitter
}

// Hole lets nothing arrive in the given direction, as if packets were lost:
// connections stay open, and what was sent arrives after [Proxy.Pass].
func (p *Proxy) Hole(d Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holes == 0 {
		p.healed = make(chan struct{})
	}
	p.holes |= d
}

// Strand lets nothing pass any more, in either direction, on the connection that
// the server knows under the given address, as if it were half open: nobody is
// told, and no Pass heals it. It reports whether there is such a connection.
func (p *Proxy) Strand(addr string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		if l.server.LocalAddr().String() == addr {
			l.strand()
			return true
		}
	}
	return false
}

// Pass ends delays and holes and disarms a cut.
func (p *Proxy) Pass() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holes != 0 {
		close(p.healed)
	}
	p.delay, p.jitter, p.holes, p.cut = 0, 0, 0, passed
}

// Reset breaks all open connections, in both directions and with unsent data
// lost. New ones can be made.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset()
	}
}

// CutAfterReplies lets k more replies of Redis through, counted over all
// connections, and breaks the connection that carries the next one instead of
// passing that on: the server has run a command whose sender does not learn it.
// It happens once.
func (p *Proxy) CutAfterReplies(k int) { p.cutAt(cutBefore, k) }

// CutWithinReply is CutAfterReplies, but the first half of the next reply is
// passed on before the connection ends.
func (p *Proxy) CutWithinReply(k int) { p.cutAt(cutWithin, k) }

func (p *Proxy) cutAt(cut verdict, left int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.left = cut, left
}

// Accepted is the number of connections made so far.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// Open is the number of connections that are open.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// Replies is the number of replies of Redis that came from the server so far.
func (p *Proxy) Replies() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.replies
}

// verdict is what happens to a reply.
type verdict int

const (
	passed    verdict = iota
	cutBefore         // nothing of it arrives
	cutWithin         // half of it does
)

// verdict counts a reply and says what happens to it.
func (p *Proxy) verdict() verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replies++
	if p.cut == passed {
		return passed
	}
	if p.left == 0 {
		cut := p.cut
		p.cut = passed
		return cut
	}
	p.left--
	return passed
}

// due says when something that was sent now arrives.
func (p *Proxy) due() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.delay
	if p.jitter > 0 {
		d += rand.N(2*p.jitter) - p.jitter
	}
	return time.Now().Add(d)
}

// hole returns what to wait for before anything arrives in direction d, or nil.
func (p *Proxy) hole(d Direction) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holes&d == 0 {
		return nil
	}
	return p.healed
}

// accept takes connections until the listener is closed.
func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.accepted++
		target, closed := p.target, p.closed
		p.mu.Unlock()
		server, err := net.DialTimeout("tcp", target, 5*time.Second)
		if err != nil || closed {
			breakOff(client)
			continue
		}
		l := newLink(p, client, server)
		p.mu.Lock()
		p.links[l] = struct{}{}
		if p.closed {
			l.reset()
		}
		p.mu.Unlock()
		p.loops.Go(func() {
			l.run()
			p.mu.Lock()
			delete(p.links, l)
			p.mu.Unlock()
		})
	}
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for l := range p.links {
		l.reset()
	}
	p.mu.Unlock()
	p.loops.Wait()
}
