package lock

import (
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// counters are what all goroutines of a race share, those of other processes too.
type counters struct {
	left     atomic.Int64 // turns that nobody has taken yet
	unlocked atomic.Int64 // when the last unlock was called, in ns of the machine's clock
}

// mapCounters returns the counters in the file at path, which has room for them.
func mapCounters(path string) (*counters, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := syscall.Mmap(int(f.Fd()), 0, int(unsafe.Sizeof(counters{})), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return (*counters)(unsafe.Pointer(&b[0])), nil
}

// newCounters makes such a file.
func newCounters() (path string, c *counters, err error) {
	f, err := os.CreateTemp("", "peerbench-lock")
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	if err := f.Truncate(int64(unsafe.Sizeof(counters{}))); err != nil {
		return f.Name(), nil, err
	}
	c, err = mapCounters(f.Name())
	return f.Name(), c, err
}
