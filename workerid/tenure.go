package workerid

import "slices"

// A tenure is what the holder of a number was promised and what it asks for
// next. It is pure: the holder's clock and the random texts come in as arguments.
// The server may have run a request without the holder seeing the reply, so only
// a reply changes what was promised.
type tenure struct {
	terms   Terms
	token   string
	text    string
	granted Grant
	from    int64    // where the logical clock began
	begun   int64    // what had elapsed then
	known   []string // nonces of which the record has one
}

// maxKnown bounds the nonces of attempts that were never answered; further
// attempts repeat the last one.
const maxKnown = 8

// remember adds the nonce of an attempt and returns the one to send.
func (t *tenure) remember(nonce string) string {
	if len(t.known) >= maxKnown {
		return t.known[len(t.known)-1]
	}
	t.known = append(t.known, nonce)
	return nonce
}

// acquire returns the next attempt to get a number with this token.
func (t *tenure) acquire(wall int64, nonce string, seed uint32) AcquireRequest {
	return AcquireRequest{
		Terms: t.terms, Token: t.token, Nonce: t.remember(nonce),
		Wall: wall, Seed: seed, Preferred: -1, Holder: t.text,
	}
}

// begin takes the grant of a number. Any of the attempts may have been the one
// that wrote, so all their nonces stay known.
func (t *tenure) begin(g Grant, at instant) { t.granted, t.from, t.begun = g, g.Start, at.elapsed }

// clock is the latest time that a generator stamps by: the wall, or, for a tenure
// that starts in the future, a clock that runs from there at half speed until the
// wall has caught up. Corrections of the wall do not move it.
func (t *tenure) clock(at instant) int64 {
	return max(at.wall, t.from+(at.elapsed-t.begun)/2)
}

// advance takes note of a generator that goes on from another number: every tick up
// to end is used up. From now on the logical clock is the generator's, or ahead of
// it, and want is three ticks after end or later.
func (t *tenure) advance(end int64, at instant) {
	if from := end - (t.terms.Lead - t.terms.Rounding); from > t.clock(at) {
		t.from, t.begun = from, at.elapsed
	}
}

// want is the mark that the holder asks for: never further ahead than what new
// holders keep clear of after a loss of data.
func (t *tenure) want(at instant) int64 {
	return max(at.wall+t.terms.Reach, t.clock(at)+t.terms.Lead)
}

// spare is how long it takes until a generator that runs as far ahead as it may
// has fewer than two ticks left.
func (t *tenure) spare(at instant) int64 {
	low := t.granted.Mark - t.terms.Lead + 2*t.terms.Rounding/3
	return min(low-at.wall, t.begun+2*(low-t.from)-at.elapsed)
}

// renew returns the next attempt at a renewal.
func (t *tenure) renew(at instant, nonce string) RenewRequest {
	return RenewRequest{
		Terms: t.terms, ID: t.granted.ID, Token: t.token,
		Nonce: t.remember(nonce), Known: slices.Clone(t.known),
		Want: t.want(at), Generation: t.granted.Generation,
		Start: t.granted.Start, Mark: t.granted.Mark, Until: t.granted.Expires,
		Holder: t.text,
	}
}

// renewed takes the reply to the attempt that sent nonce.
func (t *tenure) renewed(g Grant, nonce string) {
	t.granted.Mark, t.granted.Expires, t.granted.Time, t.granted.Epoch = g.Mark, g.Expires, g.Time, g.Epoch
	t.known = append(t.known[:0], nonce)
}

// release returns the request that gives the number back; end is the end of the
// last tick that was stamped.
func (t *tenure) release(end int64) ReleaseRequest {
	return ReleaseRequest{
		Terms: t.terms, ID: t.granted.ID, Token: t.token,
		Known: slices.Clone(t.known), Epoch: t.granted.Epoch, End: end,
	}
}
