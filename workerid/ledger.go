package workerid

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// A ledger is the record of who holds which number, and the protocol's one
// decision on each request. It is pure: the server's clock and identity come in
// as arguments, and nothing blocks. Backends on a server repeat it there.
//
// An epoch is a time in which the server certainly kept its writes. What an
// earlier epoch wrote may be out of date, so its marks count, but do not suffice.
type ledger struct {
	epoch   *epoch
	records map[int]*record
	holder  map[string]int // token of each holder → number
}

type epoch struct {
	id          string // differs for each epoch that ever was
	server      string // identity of the server that began it
	began       int64
	fingerprint string
}

type record struct {
	token      string // "" once released
	released   string // token that was released last, for a repeated Release
	nonce      string // of the holder's last write
	epoch      string // that wrote the record
	generation int64
	start      int64
	mark       int64
	expires    int64
	text       string
}

// server is what a ledger knows about the server at the moment of a request.
type server struct {
	now int64
	// identity changes whenever writes may have been lost; empty if the server
	// has none, and then only a missing record tells of a loss.
	identity string
	// blind says that the server keeps its identity to itself: any write may have
	// been lost at any time.
	blind bool
}

// Poisoned is how far ahead of all clocks a mark makes its number unusable.
const Poisoned = 24 * time.Hour

func newLedger() *ledger {
	return &ledger{records: make(map[int]*record), holder: make(map[string]int)}
}

// enter checks the configuration and begins a new epoch if the server is not the
// one that the current epoch knows.
func (l *ledger) enter(s server, t Terms, nonce string, fresh bool) error {
	switch e := l.epoch; {
	case e == nil:
		began := s.now
		if fresh {
			began = 0
		}
		l.epoch = &epoch{newEpoch(s.now, nonce), s.identity, began, t.Fingerprint}
	case e.fingerprint != t.Fingerprint:
		return &ConfigMismatchError{Ours: t.Fingerprint, Theirs: e.fingerprint}
	case e.server != s.identity && !s.blind:
		l.epoch = &epoch{newEpoch(s.now, nonce), s.identity, s.now, t.Fingerprint}
	}
	return nil
}

func newEpoch(now int64, nonce string) string {
	return strconv.FormatInt(now, 10) + "-" + nonce
}

// floor is the time that a new holder of rec's number must keep clear of: marks
// that may have been promised and lost end there. Once the gap is over it is in
// the past, and matters only to a node whose clock is behind.
func (l *ledger) floor(s server, t Terms, rec *record) int64 {
	switch {
	case s.blind:
		return s.now + t.Gap - t.Rounding
	case rec != nil && rec.epoch == l.epoch.id:
		return 0
	default:
		return l.epoch.began + t.Gap - t.Rounding
	}
}

// acquire grants a number to a token. Fresh is for a namespace that nobody has used:
// a request that was held up for a gap may come after a loss of data instead.
func (l *ledger) acquire(s server, r AcquireRequest) (Grant, error) {
	if r.Wall > s.now+Poisoned.Milliseconds() {
		return Grant{}, fmt.Errorf("%w: %v", ErrClockAhead, millis(r.Wall-s.now))
	}
	first, fresh := l.epoch == nil, r.Fresh && s.now < r.Wall+r.Terms.Gap
	if err := l.enter(s, r.Terms, r.Nonce, fresh); err != nil {
		return Grant{}, err
	}
	if id, ok := l.holder[r.Token]; ok && l.records[id].epoch == l.epoch.id {
		rec := l.records[id]
		rec.expires = s.now + r.Terms.TTL
		return rec.grant(id, s.now), nil
	}
	id, err := l.choose(s, r)
	if err != nil {
		return Grant{}, err
	}
	old := l.records[id]
	floor := l.floor(s, r.Terms, old)
	if first && fresh {
		floor = 0
	}
	rec := &record{
		token: r.Token, nonce: r.Nonce, epoch: l.epoch.id, generation: 1,
		start: max(r.Wall, floor), expires: s.now + r.Terms.TTL, text: r.Holder,
	}
	if old != nil {
		rec.generation = old.generation + 1
		rec.start = max(rec.start, old.mark)
	}
	rec.mark = max(r.Wall+r.Terms.Reach, rec.start+r.Terms.Lead)
	l.put(id, rec)
	return rec.grant(id, s.now), nil
}

// choose returns the preferred number if it is free, else one that was never
// used, else the one whose lease ended longest ago.
func (l *ledger) choose(s server, r AcquireRequest) (int, error) {
	usable := func(rec *record) bool { return rec.mark <= max(r.Wall, s.now)+Poisoned.Milliseconds() }
	if p := r.Preferred; p >= 0 {
		if rec := l.records[p]; rec == nil || rec.expires <= s.now && usable(rec) {
			return p, nil
		}
	}
	if id, ok := l.neverUsed(s, r); ok {
		return id, nil
	}
	free := 0
	for _, id := range l.byExpiry() {
		rec := l.records[id]
		if rec.expires > s.now {
			break
		}
		if usable(rec) {
			return id, nil
		}
		free++
	}
	if free > 0 {
		return 0, fmt.Errorf("%w (%d)", ErrClockBehind, free)
	}
	return 0, l.exhausted(r.Terms)
}

// neverUsed looks for a number without a record. After a loss of data it begins
// at random: a number in use without a record should keep its holder.
func (l *ledger) neverUsed(s server, r AcquireRequest) (int, bool) {
	t := r.Terms
	used := len(l.records)
	if used >= t.Count {
		return 0, false
	}
	from := used
	if s.blind || s.now < l.epoch.began+t.Gap {
		from = int(r.Seed % uint32(t.Count))
	}
	for i := range t.Count {
		id := t.First + (from+i)%t.Count
		if l.records[id] == nil {
			return id, true
		}
	}
	return 0, false
}

func (l *ledger) exhausted(t Terms) error {
	e := &ExhaustedError{Count: t.Count}
	for _, id := range l.byExpiry() {
		if len(e.Holders) < MaxListed {
			e.Holders = append(e.Holders, l.records[id].describe(id))
		}
	}
	e.FirstExpiry = e.Holders[0].Expires
	return e
}

// byExpiry lists the numbers that have a record, the first to expire first; what
// expires together is in the order of a sorted set.
func (l *ledger) byExpiry() []int {
	ids := make([]int, 0, len(l.records))
	for id := range l.records {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b int) int {
		return cmp.Or(cmp.Compare(l.records[a].expires, l.records[b].expires),
			cmp.Compare(strconv.Itoa(a), strconv.Itoa(b)))
	})
	return ids
}

func (l *ledger) put(id int, rec *record) {
	if old := l.records[id]; old != nil {
		delete(l.holder, old.token)
	}
	l.records[id] = rec
	l.holder[rec.token] = id
}

func (l *ledger) renew(s server, r RenewRequest) (Grant, error) {
	if err := l.enter(s, r.Terms, r.Nonce, false); err != nil {
		return Grant{}, err
	}
	rec := l.records[r.ID]
	if rec != nil && rec.epoch == l.epoch.id {
		switch {
		case !rec.belongs(r):
			return Grant{}, fmt.Errorf("%w: another holder has the number", ErrLost)
		case !slices.Contains(r.Known, rec.nonce) && rec.nonce != r.Nonce:
			return Grant{}, fmt.Errorf("%w: a copy of this process renewed it", ErrLost)
		case s.blind && s.now >= rec.expires:
			return Grant{}, fmt.Errorf("%w: renewed too late", ErrLost)
		}
		rec.nonce, rec.expires, rec.mark = r.Nonce, s.now+r.Terms.TTL, max(rec.mark, r.Want)
		return rec.grant(r.ID, s.now), nil
	}
	if s.blind || s.now >= r.Until-2*r.Terms.Skew {
		return Grant{}, fmt.Errorf("%w: the server lost data and the lease had run out", ErrLost)
	}
	return l.revive(s, r, rec)
}

// revive writes a record anew from what its holder was promised. The request may be
// an old one: the holder may have been promised more since, or have released, and
// then others may have been promised something. A successor keeps clear of all that
// as if nobody had been revived.
func (l *ledger) revive(s server, r RenewRequest, rec *record) (Grant, error) {
	revived := &record{
		token: r.Token, nonce: r.Nonce, epoch: l.epoch.id, generation: r.Generation,
		start: r.Start, mark: max(r.Want, r.Mark, l.floor(s, r.Terms, nil)), expires: s.now + r.Terms.TTL, text: r.Holder,
	}
	if rec != nil {
		if rec.succeeds(r) {
			return Grant{}, fmt.Errorf("%w: another holder has the number", ErrLost)
		}
		revived.mark = max(revived.mark, rec.mark)
	}
	l.put(r.ID, revived)
	return revived.grant(r.ID, s.now), nil
}

// belongs reports whether rec is of the grant that r renews. A token alone does not
// say so: a request for a number that comes twice can lead to two grants.
func (rec *record) belongs(r RenewRequest) bool {
	return rec.token == r.Token && rec.generation == r.Generation && rec.start == r.Start
}

// succeeds reports whether rec is of a later grant than the one that r renews, or
// says that this one was released.
func (rec *record) succeeds(r RenewRequest) bool {
	return rec.generation > r.Generation || rec.start > r.Start || rec.generation == r.Generation && rec.token != r.Token
}

// release lowers the mark to what the holder used, so that a successor within
// the same second need not start in the future. It does so only in the epoch in
// which the holder last had an answer: in a later one a renewal that arrived late
// may have revived a holder whose successor is forgotten.
func (l *ledger) release(s server, r ReleaseRequest) error {
	unused := r.ID < 0
	if unused {
		id, ok := l.holder[r.Token]
		if !ok {
			return nil
		}
		r.ID = id
	}
	rec := l.records[r.ID]
	switch {
	case rec != nil && rec.token == "" && rec.released == r.Token:
		return nil
	case rec == nil || rec.token != r.Token || !slices.Contains(r.Known, rec.nonce):
		return fmt.Errorf("%w: another holder has the number", ErrLost)
	}
	delete(l.holder, rec.token)
	rec.token, rec.released = "", r.Token
	if unused || rec.epoch == r.Epoch {
		rec.mark = min(rec.mark, max(rec.start, r.End))
	}
	rec.expires = s.now
	return nil
}

func (l *ledger) holders(s server) []Holder {
	var list []Holder
	for id, rec := range l.records {
		if rec.token != "" && rec.expires > s.now {
			list = append(list, rec.describe(id))
		}
	}
	return list
}

func (rec *record) grant(id int, now int64) Grant {
	return Grant{ID: id, Generation: rec.generation, Start: rec.start, Mark: rec.mark, Expires: rec.expires, Time: now, Epoch: rec.epoch}
}

func (rec *record) describe(id int) Holder {
	return Holder{
		ID: id, Generation: rec.generation, Holder: rec.text,
		Start: time.UnixMilli(rec.start), Mark: time.UnixMilli(rec.mark), Expires: time.UnixMilli(rec.expires),
	}
}

func millis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
