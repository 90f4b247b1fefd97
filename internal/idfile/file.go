// Package idfile writes down the IDs that processes gave out, integers that are not
// negative, and finds those that were given out twice.
package idfile

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
)

// size is how many bytes an ID takes.
const size = 8

// A File takes the IDs of one generator, in ascending order. What was written
// outlives a kill of the process and counts as given out.
type File struct {
	file   *os.File
	buffer []byte
}

// Create makes the file at path.
func Create(path string) (*File, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &File{file: f}, nil
}

// Write writes ids to f at once.
func Write[ID ~int64](f *File, ids []ID) error {
	f.buffer = f.buffer[:0]
	for _, id := range ids {
		f.buffer = binary.BigEndian.AppendUint64(f.buffer, uint64(id))
	}
	_, err := f.file.Write(f.buffer)
	return err
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Count returns how many IDs are in the files that pattern names.
func Count(pattern string) (n int, err error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", pattern, err)
	}
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			return 0, err
		}
		n += int(info.Size() / size)
	}
	return n, nil
}
