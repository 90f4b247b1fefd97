package queue

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// snapshotFile is the file of a MemoryStore.
//
// A clean end writes path. A start renames path to path.loaded and reads that; it
// stays until the next clean end, so if it is found at a start, the process
// before ended without one, and what it held is offered again, as suspects.
type snapshotFile struct {
	path string
	lock *os.File
	stop context.CancelFunc
	done sync.WaitGroup
}

// savedStore and savedMessage are the lines of a snapshot: one of the first, then
// one for each message.
type savedStore struct {
	Version    int                  `json:"version"`
	Accounts   Accounts             `json:"accounts"`
	Ticks      map[string]time.Time `json:"ticks,omitempty"`
	Remembered map[ID]time.Time     `json:"remembered,omitempty"`
	Paused     time.Time            `json:"paused,omitzero"`
}

type savedMessage struct {
	Envelope
	State     State     `json:"state"`
	Enqueued  time.Time `json:"enqueued"`
	Expires   time.Time `json:"expires,omitzero"`
	Due       time.Time `json:"due,omitzero"`
	Failures  int       `json:"failures,omitempty"`
	Losses    int       `json:"losses,omitempty"`
	LastError string    `json:"last_error,omitempty"`
	Held      time.Time `json:"held,omitzero"` // until when it holds its unique key
	Progress  []byte    `json:"progress,omitempty"`
	Result    []byte    `json:"result,omitempty"`
}

const snapshotVersion = 1

// openSnapshot takes the lock, loads what is there, and begins to save.
func (s *MemoryStore) openSnapshot() error {
	path := s.opts.Snapshot
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return fmt.Errorf("%s is in use: %w", path, err)
	}
	if err := s.loadSnapshot(path); err != nil {
		return errors.Join(err, lock.Close())
	}
	ctx, stop := context.WithCancel(context.Background())
	s.file = &snapshotFile{path: path, lock: lock, stop: stop}
	if s.opts.SnapshotEvery > 0 {
		s.file.done.Go(func() { s.saveNowAndThen(ctx) })
	}
	return nil
}

func (s *MemoryStore) loadSnapshot(path string) error {
	loaded := path + ".loaded"
	crashed := false
	if _, err := os.Stat(loaded); err == nil {
		crashed = true
	} else if err := os.Rename(path, loaded); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	f, err := os.Open(loaded)
	if err != nil {
		return err
	}
	err = s.read(bufio.NewReader(f), crashed)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", loaded, err)
	}
	if crashed {
		return s.save(loaded) // so that a second crash finds the suspects
	}
	return syncDir(path)
}

// read fills the empty store. After a crash every message is a suspect once more.
func (s *MemoryStore) read(r io.Reader, crashed bool) error {
	dec := json.NewDecoder(r)
	var head savedStore
	if err := dec.Decode(&head); err != nil { //nolint:musttag // the names of the fields are the format
		return err
	}
	if head.Version != snapshotVersion {
		return fmt.Errorf("snapshot of version %d", head.Version)
	}
	s.accounts, s.paused = head.Accounts, head.Paused
	maps.Copy(s.ticks, head.Ticks)
	for id, until := range head.Remembered {
		s.remembered[id] = until
		s.forget = append(s.forget, id)
	}
	slices.SortFunc(s.forget, func(a, b ID) int { return s.remembered[a].Compare(s.remembered[b]) })
	for {
		var m savedMessage
		err := dec.Decode(&m) //nolint:musttag // as above
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.restore(&m, crashed)
	}
}

func (s *MemoryStore) restore(m *savedMessage, crashed bool) {
	r := &record{
		Envelope: m.Envelope, enqueued: m.Enqueued, deadline: m.Expires, due: m.Due, failures: m.Failures,
		losses: m.Losses, lastError: m.LastError, progress: m.Progress, result: m.Result,
	}
	s.records[r.ID] = r
	if !m.Held.IsZero() {
		s.uniques[r.Unique.Key] = hold{r.ID, m.Held}
	}
	r.state = m.State
	switch m.State {
	case StateDelayed:
		s.delayed.add(r)
	case StateDead:
		s.dead.add(r)
	case StateFinished:
		s.finished.add(r)
	case StateReady, StateWaiting, StateInFlight:
		if crashed {
			r.losses = min(r.losses+1, suspectLosses)
		}
		s.enter(r, false)
	}
}

// save writes all messages: to a temporary file, which then takes the name.
func (s *MemoryStore) save(path string) error {
	s.mu.Lock()
	head, messages := s.saved()
	s.mu.Unlock()
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone once it was renamed
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	err = enc.Encode(head) //nolint:musttag // as above
	for i := 0; err == nil && i < len(messages); i++ {
		err = enc.Encode(&messages[i]) //nolint:musttag // as above
	}
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(path)
}

// saved copies the state, ready messages in their order. The caller holds mu.
func (s *MemoryStore) saved() (savedStore, []savedMessage) {
	head := savedStore{
		Version: snapshotVersion, Accounts: s.accounts, Ticks: s.ticks, Remembered: s.remembered, Paused: s.paused,
	}
	head.Ticks, head.Remembered = cloneMap(s.ticks), cloneMap(s.remembered)
	var all []savedMessage
	for _, state := range []State{StateInFlight, StateReady, StateWaiting, StateDelayed, StateDead, StateFinished} {
		for r := range s.inOrder(state) {
			if r.cancelled {
				continue
			}
			m := savedMessage{
				Envelope: r.Envelope, State: r.state, Enqueued: r.enqueued, Expires: r.deadline, Failures: r.failures,
				Losses: r.losses, LastError: r.lastError, Progress: r.progress, Result: r.result,
			}
			if state != StateReady && state != StateWaiting {
				m.Due = r.due
			}
			if h, ok := s.uniques[r.Unique.Key]; ok && h.id == r.ID {
				m.Held = h.until
			}
			all = append(all, m)
		}
	}
	return head, all
}

func cloneMap[K comparable](m map[K]time.Time) map[K]time.Time {
	c := make(map[K]time.Time, len(m))
	maps.Copy(c, m)
	return c
}

// saveNowAndThen bounds what a crash repeats or loses.
func (s *MemoryStore) saveNowAndThen(ctx context.Context) {
	tick := time.NewTicker(s.opts.SnapshotEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.save(s.opts.Snapshot + ".loaded"); err != nil && s.opts.Logger != nil {
			s.opts.Logger.Error("queue snapshot", "path", s.opts.Snapshot, "err", err)
		}
	}
}

func (s *MemoryStore) closeSnapshot() error {
	s.file.stop()
	s.file.done.Wait()
	err := s.save(s.file.path)
	if err == nil {
		if gone := os.Remove(s.file.path + ".loaded"); !errors.Is(gone, fs.ErrNotExist) {
			err = gone
		}
	}
	return errors.Join(err, s.file.lock.Close())
}

// syncDir makes a rename in the folder of path durable.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
