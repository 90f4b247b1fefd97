package chaos

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A journal is what one part of one life of a node writes down.
type journal struct {
	closing *atomic.Bool // the node is, and says so to whom still asks

	mu   sync.Mutex
	file *os.File
}

func (l *life) journal(part string) (*journal, error) {
	f, err := os.OpenFile(filepath.Join(l.dir, fmt.Sprintf("%s.%s.%d.log", part, l.name, l.count)), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return &journal{closing: &l.closing, file: f}, err
}

// note writes one line that outlives the process.
func (j *journal) note(words ...any) {
	line := fmt.Sprintln(words...)
	j.mu.Lock()
	defer j.mu.Unlock()
	_, _ = j.file.WriteString(line) // a disk that is full shows as lost work
}

// done notes that an operation of the part was successful now.
func (j *journal) done() { j.note("ok", time.Now().UnixNano()) }

// failed notes an error that a user would have seen.
func (j *journal) failed(err error) {
	if !j.closing.Load() {
		j.note("error", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// A record is one line of a journal.
type record struct {
	node  string
	life  int
	words []string
}

// number returns the i-th word, which is a number.
func (r record) number(i int) (n int64) {
	_, _ = fmt.Sscan(r.words[i], &n)
	return n
}

// read returns the journals of a part, each in its order. The last line of a killed
// life may be cut off; it was not acted upon.
func read(t testing.TB, dir, part string) (all []record) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, part+".*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var r record
		parts := strings.Split(filepath.Base(name), ".")
		r.node = parts[1]
		_, _ = fmt.Sscan(parts[2], &r.life)
		lines := bufio.NewReader(f)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				break
			}
			r.words = strings.Fields(line)
			all = append(all, r)
		}
		f.Close()
	}
	return all
}
