package redisstream

import (
	"testing"

	"pgregory.net/rapid"
)

// server is a log as the model has it: entries by ordinal, some removed.
type server struct {
	base, n int64
	run     string
	kept    []Entry
	ms      uint64
}

func newServer(base int64, run string) *server { return &server{base: base, n: base, run: run} }

func (s *server) append(k int) frame {
	var f frame
	for range k {
		s.n++
		s.ms++
		e := Entry{N: s.n, ID: ID{Ms: s.ms}}
		s.kept = append(s.kept, e)
		f.entries = append(f.entries, e)
	}
	return f
}

func (s *server) answer(q question) state {
	st := state{run: s.run, base: s.base, n: s.n}
	if len(s.kept) > 0 {
		st.newest = s.kept[len(s.kept)-1].ID
	} else if q.cur.ID == (ID{}) {
		st.at = s.n
	}
	for _, e := range s.kept {
		if e.ID == q.cur.ID {
			st.at = e.N
		}
		if q.scan.less(e.ID) && len(st.page) < q.count {
			st.page = append(st.page, e)
		}
	}
	return st
}

// Whatever is lost, delayed or trimmed: entries come in order, none twice, and
// what is missing is counted by the Gaps exactly.
func TestSequencerAccountsForEveryEntry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newServer(1000, "a")
		s.append(rapid.IntRange(0, 5).Draw(t, "before"))
		var seq sequencer
		next, resets := int64(0), 0
		seq.out = sink{
			entries: func(entries []Entry) {
				for _, e := range entries {
					if next != 0 && e.N != next { // 0 until the start is known
						t.Fatalf("entry %d comes when %d is due", e.N, next)
					}
					next = e.N + 1
				}
			},
			gap: func(g Gap) {
				switch g.Reason {
				case Trimmed:
					if g.After.N != next-1 || g.Resume.N-g.After.N != g.Missed {
						t.Fatalf("gap %+v when %d is due", g, next)
					}
				case Reset, Failover:
					resets++
				}
				next = g.Resume.N + 1
			},
		}
		seq.asking = true
		ask := func() {
			for again := true; again; {
				q := seq.question(rapid.IntRange(1, 6).Draw(t, "count"))
				st := s.answer(q)
				if rapid.Bool().Draw(t, "a push while asking") {
					seq.push(s.append(rapid.IntRange(1, 3).Draw(t, "entries")))
				}
				again = seq.answer(q, st)
			}
		}
		ask()
		next = seq.cur.N + 1
		losses := 0
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				s.append(rapid.IntRange(1, 9).Draw(t, "lost")) // its push does not come
			case 1:
				s.kept = s.kept[rapid.IntRange(0, len(s.kept)).Draw(t, "trim"):]
			case 2:
				ask() // audit
			case 3:
				*s = server{base: s.n + 1000, n: s.n + 1000, run: s.run, ms: s.ms}
				losses++
			default:
				if seq.push(s.append(rapid.IntRange(1, 4).Draw(t, "pushed"))) && rapid.Bool().Draw(t, "at once") {
					ask()
				}
			}
		}
		ask()
		if next != s.n+1 || seq.cur.N != s.n {
			t.Fatalf("at the end %d is due, the log has %d", next, s.n)
		}
		if resets > losses {
			t.Fatalf("%d resets told of %d", resets, losses)
		}
	})
}

// An entry that the successor does not have makes a Gap, one that was only
// trimmed away after the same server answered does not.
func TestSequencerNoticesAnotherBranch(t *testing.T) {
	s := newServer(1000, "a")
	s.append(3)
	var gaps []Gap
	var got []int64
	seq := sequencer{asking: true, out: sink{
		entries: func(entries []Entry) {
			for _, e := range entries {
				got = append(got, e.N)
			}
		},
		gap: func(g Gap) { gaps = append(gaps, g) },
	}}
	ask := func() {
		for q := seq.question(10); seq.answer(q, s.answer(q)); q = seq.question(10) {
		}
	}
	ask()
	seq.push(s.append(2))
	if len(got) != 2 || len(gaps) != 0 {
		t.Fatalf("got %v, %v", got, gaps)
	}
	s.kept, s.n, s.run = s.kept[:4], s.n-1, "b" // the last entry was not replicated
	s.append(3)                                 // other entries under its ordinal
	ask()
	if len(gaps) != 1 || gaps[0].Reason != Failover || gaps[0].Missed != -1 {
		t.Fatalf("gaps %+v, want one of a failover", gaps)
	}
	if seq.cur.N != s.n {
		t.Fatalf("at %d, want %d", seq.cur.N, s.n)
	}
	s.run = "c" // a restart that lost nothing
	ask()
	if len(gaps) != 1 {
		t.Fatalf("a restart without a loss told %+v", gaps[1:])
	}
}
