package idfile

import (
	"bufio"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Comparison is what all files together hold.
type Comparison struct {
	Files, IDs int
	Duplicates int // IDs that were there before
	Disorders  int // IDs that are smaller than the one before in their file
}

// Compare reads the files that pattern names. Since each of them ascends they are
// merged, so that equal IDs meet: it is exact and takes no memory to speak of,
// however many there are.
func Compare(pattern string) (c Comparison, err error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return c, err
	}
	c.Files = len(files)
	var streams merge
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return c, err
		}
		defer f.Close()
		s := &stream{in: bufio.NewReaderSize(f, 1<<16)}
		if more, err := s.advance(); err != nil {
			return c, err
		} else if more {
			streams = append(streams, s)
		}
	}
	return c, streams.compare(&c)
}

func (m *merge) compare(c *Comparison) error {
	heap.Init(m)
	var last int64
	for m.Len() > 0 {
		s := (*m)[0]
		if c.IDs > 0 && s.head == last {
			c.Duplicates++
		}
		c.IDs++
		last = s.head
		more, err := s.advance()
		if err != nil {
			return err
		}
		if !more {
			heap.Pop(m)
			continue
		}
		if s.head < last {
			c.Disorders++
		}
		heap.Fix(m, 0)
	}
	return nil
}

// stream reads one file.
type stream struct {
	in   *bufio.Reader
	head int64
}

// advance reads the next ID into head. The last one may be cut off where its
// process was killed: it was not given out.
func (s *stream) advance() (more bool, err error) {
	var raw [size]byte
	if _, err := io.ReadFull(s.in, raw[:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	s.head = int64(binary.BigEndian.Uint64(raw[:]))
	return true, nil
}

// merge is a heap of streams by their next ID.
type merge []*stream

func (m *merge) Len() int           { return len(*m) }
func (m *merge) Less(i, j int) bool { return (*m)[i].head < (*m)[j].head }
func (m *merge) Swap(i, j int)      { (*m)[i], (*m)[j] = (*m)[j], (*m)[i] }
func (m *merge) Push(x any)         { *m = append(*m, x.(*stream)) } //nolint:forcetypeassert // there is nothing else
func (m *merge) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}
