package queueredis_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

// ability is what both backends have.
type ability interface {
	queue.Backend
	queue.InspectBackend
	queue.ControlBackend
}

// history does the same to the backend in memory and to the one in Redis.
type history struct {
	*rapid.T
	backends [2]ability
	ids      []queue.ID
	held     [2][]queue.Claimed // in the same order, also when they ended already
}

// Whatever is asked of them, the backend in memory and the one in Redis answer
// the same.
func TestHistories(t *testing.T) {
	client := testenv.Redis(t).Client(t)
	var runs atomic.Int32
	rapid.Check(t, func(t *rapid.T) {
		memory, err := queue.NewMemoryStore(queue.MemoryOptions{DeadLimit: 3})
		if err != nil {
			t.Fatal(err)
		}
		redis, err := queueredis.NewBackend(client, fmt.Sprint("run", runs.Add(1)), queueredis.Options{DeadLimit: 3})
		if err != nil {
			t.Fatal(err)
		}
		h := &history{T: t, backends: [2]ability{memory, redis.(ability)}}
		t.Repeat(map[string]func(*rapid.T){
			"enqueue": h.enqueue, "claim": h.claim, "settle": h.settle, "cancel": h.cancel,
			"redrive": h.redrive, "purge": h.purge, "": h.compare,
		})
		for _, b := range h.backends {
			_ = b.Close(context.Background())
		}
	})
}

// both does one thing to each backend and compares the answers.
func (h *history) both(t *rapid.T, what string, f func(i int, b ability) string) {
	memory, redis := f(0, h.backends[0]), f(1, h.backends[1])
	if memory != redis {
		t.Fatalf("%s:\nin memory %s\nin Redis  %s", what, memory, redis)
	}
}

// text is an error without what differs by nature.
func text(errs []error, err error) string {
	if err != nil {
		return "error " + err.Error()
	}
	out := ""
	for i, err := range errs {
		var dup *queue.DuplicateError
		switch {
		case errors.As(err, &dup):
			out += fmt.Sprint(i, " duplicate of ", dup.Existing, "; ")
		case err != nil:
			out += fmt.Sprint(i, " ", err, "; ")
		}
	}
	return out
}

func (h *history) enqueue(t *rapid.T) {
	batch := make([]queue.Envelope, rapid.IntRange(1, 3).Draw(t, "messages"))
	for i := range batch {
		e := &batch[i]
		e.ID, e.MaxAttempts = queue.NewID(), rapid.IntRange(1, 3).Draw(t, "attempts")
		if rapid.Bool().Draw(t, "given") {
			e.ID, e.Given = queue.IDOf(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")), true
		}
		h.ids = append(h.ids, e.ID)
		e.Priority = queue.Priority(rapid.IntRange(-1, 2).Draw(t, "priority"))
		e.Key = rapid.SampledFrom([]string{"", "", "k1", "k2"}).Draw(t, "key")
		if key := rapid.SampledFrom([]string{"", "", "u1"}).Draw(t, "unique"); key != "" {
			e.Unique = queue.Unique{Key: key, TTL: time.Hour, Until: queue.Until(rapid.IntRange(0, 1).Draw(t, "until"))}
		}
		switch rapid.IntRange(0, 5).Draw(t, "time") {
		case 0:
			e.Delay = time.Hour
		case 1:
			e.Deadline = time.Now().Add(-time.Minute)
		case 2:
			e.Retain = time.Hour
		}
	}
	h.both(t, "enqueue", func(_ int, b ability) string { return text(b.Enqueue(t.Context(), batch)) })
}

func (h *history) claim(t *rapid.T) {
	req := queue.ClaimRequest{Consumer: "c", Max: rapid.IntRange(0, 4).Draw(t, "max"), Slots: 10, Lease: time.Hour}
	var done []int
	if n := len(h.held[0]); n > 0 && rapid.Bool().Draw(t, "acknowledge") {
		done = rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, 3, rapid.ID).Draw(t, "done")
	}
	h.both(t, "claim", func(i int, b ability) string {
		req := req
		for _, place := range done {
			req.Done = append(req.Done, h.held[i][place].Receipt)
		}
		got, err := b.Claim(t.Context(), req)
		h.held[i] = append(h.held[i], got.Messages...)
		out := text(nil, err)
		for _, m := range got.Messages {
			out += fmt.Sprint(m.ID, " attempt ", m.Attempt, " of ", m.MaxAttempts, " ", m.Priority, m.Key, m.Unique, m.Given, "; ")
		}
		return out + fmt.Sprint(len(got.Lost), " lost, paused ", got.Paused)
	})
}

func (h *history) settle(t *rapid.T) {
	if len(h.held[0]) == 0 {
		t.Skip("nothing was leased yet")
	}
	places := rapid.SliceOfNDistinct(rapid.IntRange(0, len(h.held[0])-1), 1, 3, rapid.ID).Draw(t, "places")
	batch := make([]queue.Settlement, len(places))
	for i := range batch {
		batch[i].Verb = queue.Verb(rapid.IntRange(0, 5).Draw(t, "verb"))
		if rapid.Bool().Draw(t, "later") {
			batch[i].Delay = time.Hour
		}
		batch[i].Reason = "because"
	}
	h.both(t, "settle", func(i int, b ability) string {
		list := append([]queue.Settlement(nil), batch...)
		for n, place := range places {
			list[n].Receipt, list[n].ID = h.held[i][place].Receipt, h.held[i][place].ID
		}
		return text(b.Settle(t.Context(), list))
	})
}

func (h *history) anyID(t *rapid.T) queue.ID {
	if len(h.ids) == 0 {
		return queue.IDOf("none")
	}
	return rapid.SampledFrom(h.ids).Draw(t, "of")
}

func (h *history) cancel(t *rapid.T) {
	id := h.anyID(t)
	h.both(t, "cancel", func(_ int, b ability) string { return text(nil, b.Cancel(t.Context(), id)) })
}

func (h *history) redrive(t *rapid.T) {
	id := h.anyID(t)
	h.both(t, "redrive", func(_ int, b ability) string { return text(b.Redrive(t.Context(), []queue.ID{id})) })
}

func (h *history) purge(t *rapid.T) {
	state := rapid.SampledFrom([]queue.State{queue.StateReady, queue.StateDelayed, queue.StateDead, queue.StateFinished}).Draw(t, "state")
	h.both(t, "purge", func(_ int, b ability) string {
		n, err := b.Purge(t.Context(), state, 100)
		return fmt.Sprint(n, text(nil, err))
	})
}

// compare looks at everything that can be seen.
func (h *history) compare(t *rapid.T) {
	h.both(t, "stats", func(_ int, b ability) string {
		st, err := b.Stats(t.Context())
		st.Now, st.OldestReady = time.Time{}, 0
		return fmt.Sprintf("%+v %v", st, err)
	})
	for _, state := range []queue.State{queue.StateReady, queue.StateInFlight, queue.StateDead, queue.StateFinished} {
		h.both(t, "list of "+string(state), func(_ int, b ability) string {
			page, err := b.List(t.Context(), queue.ListRequest{State: state, Limit: 100})
			ids := map[queue.ID]string{}
			for _, m := range page.Messages {
				ids[m.ID] = fmt.Sprint(m.Failures, m.LastError)
			}
			return fmt.Sprint(ids, page.More, err)
		})
	}
}
