package redisstream

import "context"

// Follower reads a log page by page, without pushes, from a place of its own.
// It is not safe for concurrent use.
type Follower struct {
	stream *Stream
	seq    sequencer
	count  int
}

// Follow returns a Follower that starts after cur. The zero Cursor stands for
// the oldest entry that is still there. Only Entries and Gap of e are called, by
// Next.
func (s *Stream) Follow(cur Cursor, e Events) *Follower {
	f := &Follower{stream: s, count: firstPage}
	f.seq.out = sink{entries: e.Entries, gap: e.Gap}
	f.seq.resume(cur)
	f.seq.oldest = cur == Cursor{}
	return f
}

// Next reads one page. It reports whether the log had more when it was read.
func (f *Follower) Next(ctx context.Context) (more bool, err error) {
	q := f.seq.question(f.count)
	st, err := f.stream.ask(ctx, f.stream.client, q, "", 0)
	if err != nil {
		return false, err
	}
	more = f.seq.answer(q, st)
	f.count = firstPage
	if more {
		f.count = nextCount(st.page)
	}
	return more, nil
}

// Position is the place after the last entry that was handed on.
func (f *Follower) Position() Cursor { return f.seq.cur }

// Foreign is the number of entries skipped because they are not of this package.
func (f *Follower) Foreign() int64 { return f.seq.foreign }
