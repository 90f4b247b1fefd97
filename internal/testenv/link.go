package testenv

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A link is one connection through a [Proxy]. Four loops carry its bytes, a
// reader and a writer for each direction; reset ends them all.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	broken         chan struct{}
	breaking       sync.Once
	stranded       atomic.Bool
}

// A parcel is bytes on their way.
type parcel struct {
	bytes []byte
	due   time.Time
}

func newLink(p *Proxy, client, server net.Conn) *link {
	return &link{proxy: p, client: client, server: server, broken: make(chan struct{})}
}

// run carries bytes until both directions have ended.
func (l *link) run() {
	var loops sync.WaitGroup
	up, down := make(chan parcel, 1024), make(chan parcel, 1024)
	loops.Go(func() { l.collect(l.client, up) })
	loops.Go(func() { l.deliver(l.server, up, ToServer) })
	loops.Go(func() { l.collectReplies(down) })
	loops.Go(func() { l.deliver(l.client, down, ToClient) })
	loops.Wait()
	_ = l.client.Close()
	_ = l.server.Close()
}

// collect reads from until its end.
func (l *link) collect(from io.Reader, to chan<- parcel) {
	defer close(to)
	for {
		b := make([]byte, 32<<10)
		n, err := from.Read(b)
		if n > 0 && !l.put(to, b[:n]) {
			return
		}
		if err != nil {
			return
		}
	}
}

// collectReplies reads from the server reply by reply, or, if it does not speak
// the protocol of Redis, as it comes.
func (l *link) collectReplies(to chan<- parcel) {
	from := bufio.NewReaderSize(l.server, 32<<10)
	first, err := from.Peek(1)
	if err != nil || !strings.ContainsRune(replyTypes, rune(first[0])) {
		l.collect(from, to)
		return
	}
	defer close(to)
	for {
		reply, err := readReply(from, nil)
		if err == nil {
			switch l.proxy.verdict() {
			case passed:
			case cutBefore:
				l.reset()
				return
			case cutWithin: // the rest never comes, and the connection ends
				l.put(to, reply[:len(reply)/2])
				return
			}
		}
		if len(reply) > 0 && !l.put(to, reply) || err != nil {
			return
		}
	}
}

// put sends b on its way.
func (l *link) put(to chan<- parcel, b []byte) bool {
	select {
	case to <- parcel{b, l.proxy.due()}:
		return true
	case <-l.broken:
		return false
	}
}

// deliver writes what arrives, when it is due, and then the end of the stream.
func (l *link) deliver(to net.Conn, from <-chan parcel, d Direction) {
	for {
		select {
		case <-l.broken:
			return
		case p, ok := <-from:
			if !l.wait(p.due, d) {
				return
			}
			if !ok {
				if half, can := to.(*net.TCPConn); can {
					_ = half.CloseWrite()
				}
				return
			}
			if _, err := to.Write(p.bytes); err != nil {
				l.reset()
				return
			}
		}
	}
}

// wait returns true when it is due and the way is open, false if the link broke.
func (l *link) wait(due time.Time, d Direction) bool {
	if late := time.Until(due); late > 0 {
		select {
		case <-time.After(late):
		case <-l.broken:
			return false
		}
	}
	for {
		if l.stranded.Load() {
			<-l.broken
			return false
		}
		healed := l.proxy.hole(d)
		if healed == nil {
			return true
		}
		select {
		case <-healed:
		case <-l.broken:
			return false
		}
	}
}

// strand lets nothing pass any more until the link breaks.
func (l *link) strand() { l.stranded.Store(true) }

// reset breaks the link.
func (l *link) reset() {
	l.breaking.Do(func() {
		close(l.broken)
		breakOff(l.client)
		breakOff(l.server)
	})
}

// breakOff closes conn so that the other side sees a reset.
func breakOff(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
