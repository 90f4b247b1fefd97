package workeridredis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

// A reply is what a script answered: a word and its details.
type reply []any

// errReply reports an answer that the scripts do not give.
var errReply = errors.New("unexpected reply of a script")

// reasons why a lease was lost, by the word of renew.lua and release.lua.
var reasons = map[string]string{
	"taken":     "another holder has the number",
	"copied":    "a copy of this process renewed it",
	"late":      "renewed too late for a server that hides its identity",
	"forgotten": "the server lost data and the lease had run out",
}

func (r reply) word() string {
	if len(r) == 0 {
		return ""
	}
	word, _ := r[0].(string)
	return word
}

// ints returns n numbers from position from.
func (r reply) ints(from, n int) ([]int64, error) {
	if len(r) < from+n {
		return nil, fmt.Errorf("%w: %v", errReply, r)
	}
	list := make([]int64, n)
	for i := range list {
		v, ok := r[from+i].(int64)
		if !ok {
			return nil, fmt.Errorf("%w: %v", errReply, r)
		}
		list[i] = v
	}
	return list, nil
}

// grant reads the answer of acquire.lua and renew.lua.
func (r reply) grant(t workerid.Terms) (workerid.Grant, error) {
	switch word := r.word(); word {
	case "granted":
		v, err := r.ints(1, 6)
		if err != nil {
			return workerid.Grant{}, err
		}
		g := workerid.Grant{ID: int(v[0]), Generation: v[1], Start: v[2], Mark: v[3], Expires: v[4], Time: v[5]}
		if len(r) > 7 {
			g.Epoch, _ = r[7].(string)
		}
		if g.Epoch == "" {
			return workerid.Grant{}, fmt.Errorf("%w: %v", errReply, r)
		}
		return g, nil
	case "full":
		return workerid.Grant{}, r.exhausted(t)
	default:
		return workerid.Grant{}, r.refusal(t)
	}
}

// released reads the answer of release.lua.
func (r reply) released() error {
	if r.word() == "released" {
		return nil
	}
	return r.refusal(workerid.Terms{})
}

func (r reply) refusal(t workerid.Terms) error {
	if len(r) == 2 {
		detail := r[1]
		switch r.word() {
		case "lost":
			word, _ := detail.(string)
			return fmt.Errorf("%w: %s", workerid.ErrLost, reasons[word])
		case "mismatch":
			theirs, _ := detail.(string)
			return &workerid.ConfigMismatchError{Ours: t.Fingerprint, Theirs: theirs}
		case "behind":
			return fmt.Errorf("%w (%v)", workerid.ErrClockBehind, detail)
		case "ahead":
			ms, _ := detail.(int64)
			return fmt.Errorf("%w: %v", workerid.ErrClockAhead, time.Duration(ms)*time.Millisecond)
		}
	}
	return fmt.Errorf("%w: %v", errReply, r)
}

func (r reply) exhausted(t workerid.Terms) error {
	list, err := r[1:].holders()
	if err != nil {
		return err
	}
	e := &workerid.ExhaustedError{Count: t.Count, Holders: list}
	if len(list) > 0 {
		e.FirstExpiry = list[0].Expires
	}
	return e
}

// holders reads a list of {id, generation, start, mark, expires, holder}.
func (r reply) holders() ([]workerid.Holder, error) {
	list := make([]workerid.Holder, len(r))
	for i, item := range r {
		fields, _ := item.([]any)
		v, err := reply(fields).ints(0, 5)
		if err != nil || len(fields) != 6 {
			return nil, fmt.Errorf("%w: %v", errReply, r)
		}
		text, _ := fields[5].(string)
		list[i] = workerid.Holder{
			ID: int(v[0]), Generation: v[1], Holder: text,
			Start: time.UnixMilli(v[2]), Mark: time.UnixMilli(v[3]), Expires: time.UnixMilli(v[4]),
		}
	}
	return list, nil
}

// Holders implements workerid.Backend.
func (b *Backend) Holders(ctx context.Context) ([]workerid.Holder, error) {
	r, err := b.run(ctx, holders, nil)
	if err != nil {
		return nil, err
	}
	return r.holders()
}
