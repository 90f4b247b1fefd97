package redisstream

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// server is a log as the model has it: entries by ordinal, some removed.
type server struct {
	base, n int64
	run     string // also the data of the entries that it took
	kept    []Entry
	ms      uint64
}

func newServer(base int64, run string) *server { return &server{base: base, n: base, run: run} }

// failOver makes it the server's successor, which lacks the newest entries.
func (s *server) failOver(lost int, run string) {
	s.n -= int64(lost)
	s.run = run
	s.kept = slices.DeleteFunc(s.kept, func(e Entry) bool { return e.N > s.n })
}

func (s *server) append(k int) frame {
	var f frame
	for range k {
		s.n++
		s.ms++
		e := Entry{N: s.n, ID: ID{Ms: s.ms}, Data: []byte(s.run)}
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
// what is missing is counted by the Gaps exactly. No entry that a successor took
// comes before the Gap that says so, whatever was lost with its predecessor.
func TestSequencerAccountsForEveryEntry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newServer(1000, "a")
		s.append(rapid.IntRange(0, 5).Draw(t, "before"))
		var seq sequencer
		next, resets, run := int64(0), 0, "a"
		seq.out = sink{
			entries: func(entries []Entry) {
				for _, e := range entries {
					if string(e.Data) > run {
						t.Fatalf("entry %d of %s comes before the Gap after %s", e.N, e.Data, run)
					}
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
					run = g.Resume.Run
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
		losses, runs := 0, "bcdefghijklmnopqrstuvwxyz"
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
			case 4:
				if runs == "" {
					continue
				}
				lost := min(rapid.IntRange(0, 6).Draw(t, "not replicated"), int(s.n-s.base))
				s.failOver(lost, runs[:1])
				runs = runs[1:]
				losses++
				seq.asking = true // the connection ended with the server
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

// follow returns a sequencer of s that has asked once, and what it tells.
func follow(s *server) (seq *sequencer, got *[]int64, gaps *[]Gap, ask func()) {
	got, gaps = new([]int64), new([]Gap)
	seq = &sequencer{asking: true, out: sink{
		entries: func(entries []Entry) {
			for _, e := range entries {
				*got = append(*got, e.N)
			}
		},
		gap: func(g Gap) { *gaps = append(*gaps, g) },
	}}
	ask = func() {
		for q := seq.question(10); seq.answer(q, s.answer(q)); q = seq.question(10) {
		}
	}
	ask()
	return seq, got, gaps, ask
}

// Another server is a Gap, whether or not the follower has seen what it lacks, for
// what was acknowledged and not seen leaves no trace.
func TestSequencerNoticesAnotherBranch(t *testing.T) {
	for name, tt := range map[string]struct{ seen, unseen, lost, later int }{
		"a seen entry is lost":            {2, 0, 1, 3},
		"all that is lost was not seen":   {2, 3, 3, 5},
		"fewer come than were lost":       {2, 3, 3, 1},
		"nothing is lost":                 {2, 0, 0, 2},
		"nothing is lost, and none comes": {2, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(1000, "a")
			s.append(3)
			seq, got, gaps, ask := follow(s)
			seq.push(s.append(tt.seen))
			s.append(tt.unseen)
			s.failOver(tt.lost, "b")
			s.append(tt.later)
			known := len(*got)
			ask()
			if len(*gaps) != 1 || (*gaps)[0].Reason != Failover || (*gaps)[0].Missed != -1 || (*gaps)[0].Resume.Run != "b" {
				t.Fatalf("gaps %+v, want one of a failover", *gaps)
			}
			if seq.cur.N != s.n || len(*got)-known != tt.later {
				t.Fatalf("at %d with %d new entries, want %d with %d", seq.cur.N, len(*got)-known, s.n, tt.later)
			}
			ask()
			if len(*gaps) != 1 {
				t.Fatalf("the same server told %+v", (*gaps)[1:])
			}
		})
	}
}

// A cursor whose server is not known, such as that of an entry that was just
// stored, is told of another branch by what stands in its place.
func TestSequencerNoticesAnotherBranchByItsEntries(t *testing.T) {
	s := newServer(1000, "")
	s.append(3)
	cur := Cursor{N: s.n, ID: s.kept[2].ID}
	for name, tt := range map[string]struct {
		lost, later int
		gap         bool
	}{
		"lost and overtaken": {1, 3, true},
		"lost":               {1, 0, true},
		"there":              {0, 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			other := *s
			other.kept = slices.Clone(s.kept)
			other.failOver(tt.lost, "")
			other.append(tt.later)
			var gaps []Gap
			seq := sequencer{out: sink{entries: func([]Entry) {}, gap: func(g Gap) { gaps = append(gaps, g) }}}
			seq.resume(cur)
			for q := seq.question(10); seq.answer(q, other.answer(q)); q = seq.question(10) {
			}
			if (len(gaps) == 1 && gaps[0].Reason == Failover) != tt.gap || seq.cur.N != other.n {
				t.Errorf("gaps %+v, at %d of %d", gaps, seq.cur.N, other.n)
			}
		})
	}
}
