//go:build unix

package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cohort-go/cohort/lock"
)

// folder is a lock.Backend whose state is a file for each name. Processes of one
// machine share it; their clock is the machine's. It tells nobody anything, so those
// who wait ask again after a while and are served in no order.
type folder struct{ dir string }

var _ lock.Backend = folder{}

func openFolder(dir string) (folder, error) {
	return folder{dir}, os.MkdirAll(dir, 0o700)
}

// state is what the file of a name holds. The fence outlives the holder.
type state struct {
	Fence uint64
	Token string // of the holder
	Ends  time.Time
}

func (s *state) held() bool { return s.Token != "" && time.Now().Before(s.Ends) }

// Start implements lock.Backend. There are no events.
func (folder) Start(string, lock.Events) error { return nil }

// Close implements lock.Backend. Nothing runs.
func (folder) Close(context.Context) error { return nil }

// Acquire implements lock.Backend.
func (f folder) Acquire(ctx context.Context, c lock.Claim, _ bool) (lock.Reply, error) {
	r := lock.Reply{State: lock.Held, Poll: 10*time.Millisecond + rand.N(10*time.Millisecond), Sent: time.Now()}
	if c.Permits > 0 || c.Replicas > 0 {
		return r, fmt.Errorf("%w: Permits and Replicas", lock.ErrUnsupported)
	}
	err := f.change(ctx, c.Name, func(s *state) {
		mine := s.Token == c.Token
		if s.held() && !mine {
			return
		}
		if !mine || !s.held() {
			s.Fence++
		}
		s.Token, s.Ends = c.Token, time.Now().Add(c.TTL)
		// others may wait: nobody knows, so no process serves only its own
		r.State, r.Fence, r.Waiters = lock.Granted, s.Fence, 1
	})
	return r, err
}

// Extend implements lock.Backend.
func (f folder) Extend(ctx context.Context, c lock.Claim) (lock.Reply, error) {
	r := lock.Reply{State: lock.Held, Sent: time.Now()}
	err := f.change(ctx, c.Name, func(s *state) {
		if !s.held() || s.Token != c.Token {
			return
		}
		if end := time.Now().Add(c.TTL); end.After(s.Ends) {
			s.Ends = end
		}
		r.State, r.Waiters = lock.Granted, 1
	})
	return r, err
}

// Release implements lock.Backend.
func (f folder) Release(ctx context.Context, c lock.Claim) (had bool, err error) {
	err = f.change(ctx, c.Name, func(s *state) {
		if s.Token == c.Token {
			had, s.Token = s.held(), ""
		}
	})
	return had, err
}

// Inspect implements lock.Backend.
func (f folder) Inspect(ctx context.Context, name string) (i lock.Info, err error) {
	err = f.change(ctx, name, func(s *state) {
		i.Fence = s.Fence
		if s.held() {
			i.Held, i.Owner, i.TTL = true, s.Token, time.Until(s.Ends)
		}
	})
	return i, err
}

// change reads the state of name, lets do change it, and writes it back, all under
// the operating system's lock of the file. That one ends with the process, so it is
// held for microseconds.
func (f folder) change(ctx context.Context, name string, do func(s *state)) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path(name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	var s state
	if err := json.NewDecoder(file).Decode(&s); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s is no file of ours: %w", file.Name(), err)
	}
	before := s
	if do(&s); s == before {
		return nil
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	// in one write, with blanks over what an earlier state left
	_, err = file.WriteAt(fmt.Appendf(nil, "%-200s", raw), 0)
	return err
}

// path is the file of a name. Names may have any bytes, files may not, and their
// names are shorter: the end of a long name stands in folders of its own.
func (f folder) path(name string) string {
	const most = 200
	path, text := f.dir, hex.EncodeToString([]byte(name))
	for len(text) > most {
		path = filepath.Join(path, text[:most]+".d")
		text = text[most:]
	}
	_ = os.MkdirAll(path, 0o700) // what fails here fails again at the file, with its name
	return filepath.Join(path, text+".json")
}
