package testenv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Ports are drawn from below the range that systems give to clients, low
// enough that the bus of a cluster node finds room 10000 above.
const (
	lowestPort  = 11000
	highestPort = 21999
	busOffset   = 10000
)

// A port on loopback that no other test of this machine takes, also while the
// server that it is for is down: a lock on a file, which ends with the process.
type port struct {
	number int
	lock   *os.File
}

// reservePort returns a port where neither it nor its bus port is in use.
func reservePort() (*port, error) {
	dir := filepath.Join(os.TempDir(), "cohort-test-ports")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	for range 1000 {
		n := lowestPort + rand.IntN(highestPort-lowestPort+1)
		lock, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(n)), os.O_CREATE|os.O_RDWR, 0o666)
		if err != nil {
			return nil, err
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil && unused(n) && unused(n+busOffset) {
			return &port{number: n, lock: lock}, nil
		}
		_ = lock.Close()
	}
	return nil, errors.New("no free port found")
}

// release lets others have the port.
func (p *port) release() { _ = p.lock.Close() }

// addr is host and port.
func (p *port) addr() string { return loopback(p.number) }

func loopback(n int) string { return fmt.Sprintf("127.0.0.1:%d", n) }

func unused(n int) bool {
	l, err := net.Listen("tcp", loopback(n))
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}
