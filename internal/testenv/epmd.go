package testenv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Requests and replies of Erlang's port mapper.
const (
	epmdAlive      = 120
	epmdAliveReply = 118
	epmdPort       = 122
	epmdPortReply  = 119
	epmdNames      = 110
)

// A portMapper tells the nodes of Erlang which port a node listens on. The
// mapper that Erlang brings is a daemon which would outlive the tests and be
// shared by all of this machine.
type portMapper struct {
	listener net.Listener
	loops    sync.WaitGroup

	mu    sync.Mutex
	nodes map[string]erlangNode
	conns map[net.Conn]struct{}
}

// An erlangNode is what a node said of itself.
type erlangNode struct {
	port uint16
	rest []byte // type, protocol, versions, name and extra, as they are asked for
}

func newPortMapper() (*portMapper, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &portMapper{listener: listener, nodes: map[string]erlangNode{}, conns: map[net.Conn]struct{}{}}
	m.loops.Go(m.accept)
	return m, nil
}

// port is where the mapper listens.
func (m *portMapper) port() int {
	addr, _ := m.listener.Addr().(*net.TCPAddr)
	return addr.Port
}

// accept serves until the mapper is closed.
func (m *portMapper) accept() {
	for {
		conn, err := m.listener.Accept()
		if err != nil {
			return
		}
		m.mu.Lock()
		m.conns[conn] = struct{}{}
		m.mu.Unlock()
		m.loops.Go(func() {
			_ = m.serve(conn) // a node that speaks otherwise finds its connection closed
			_ = conn.Close()
			m.mu.Lock()
			delete(m.conns, conn)
			m.mu.Unlock()
		})
	}
}

// serve answers the one request of a connection.
func (m *portMapper) serve(conn net.Conn) error {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	request := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, request); err != nil {
		return err
	}
	switch {
	case len(request) > 12 && request[0] == epmdAlive:
		return m.register(conn, request[1:])
	case len(request) > 1 && request[0] == epmdPort:
		_, err := conn.Write(m.find(string(request[1:])))
		return err
	case len(request) == 1 && request[0] == epmdNames:
		_, err := conn.Write(m.list())
		return err
	}
	return errors.New("unknown request")
}

// register keeps a node for as long as its connection lives.
func (m *portMapper) register(conn net.Conn, request []byte) error {
	port, rest := binary.BigEndian.Uint16(request), request[2:]
	size := int(binary.BigEndian.Uint16(rest[6:]))
	if len(rest) < 8+size {
		return io.ErrUnexpectedEOF
	}
	name := string(rest[8 : 8+size])
	m.mu.Lock()
	m.nodes[name] = erlangNode{port, rest}
	m.mu.Unlock()
	if _, err := conn.Write([]byte{epmdAliveReply, 0, 0, 0, 0, 1}); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.nodes[name].port == port {
		delete(m.nodes, name)
	}
	return err
}

func (m *portMapper) find(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, known := m.nodes[name]
	if !known {
		return []byte{epmdPortReply, 1}
	}
	return append(binary.BigEndian.AppendUint16([]byte{epmdPortReply, 0}, n.port), n.rest...)
}

func (m *portMapper) list() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := binary.BigEndian.AppendUint32(nil, uint32(m.port()))
	for name, n := range m.nodes {
		b = fmt.Appendf(b, "name %s at port %d\n", name, n.port)
	}
	return b
}

func (m *portMapper) close() {
	_ = m.listener.Close()
	m.mu.Lock()
	for conn := range m.conns {
		_ = conn.Close()
	}
	m.mu.Unlock()
	m.loops.Wait()
}
