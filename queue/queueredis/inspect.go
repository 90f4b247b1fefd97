package queueredis

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/queue"
)

// states pairs each State with its letter in the scripts.
func states() map[queue.State]string {
	return map[queue.State]string{
		queue.StateReady: "r", queue.StateWaiting: "g", queue.StateInFlight: "l",
		queue.StateDelayed: "d", queue.StateDead: "x", queue.StateFinished: "f",
	}
}

func codeOf(state queue.State) string { return states()[state] }

func stateOf(code string) queue.State {
	for state, c := range states() {
		if c == code {
			return state
		}
	}
	return ""
}

// Stats implements queue.InspectBackend.
func (s *store) Stats(ctx context.Context) (queue.Stats, error) {
	reply, err := s.run(ctx, s.scripts.stats)
	if err != nil {
		return queue.Stats{}, err
	}
	n, err := numbers(reply, 24)
	if err != nil {
		return queue.Stats{}, err
	}
	st := queue.Stats{
		Now:      time.UnixMilli(n[0]),
		Ready:    [4]int{int(n[1]), int(n[2]), int(n[3]), int(n[4])},
		Waiting:  int(n[5]),
		InFlight: int(n[6]),
		Delayed:  int(n[7]),
		Dead:     int(n[8]),
		Finished: int(n[9]),
		Accounts: queue.Accounts{
			Enqueued: n[13], Done: n[14], Discarded: n[15], Expired: n[16], Purged: n[17], Cancelled: n[18],
			Trimmed: n[19], Retried: n[20], Died: n[21], Redriven: n[22], Lapsed: n[23],
		},
	}
	if n[11] > n[0] {
		st.PausedUntil = time.UnixMilli(n[11])
	}
	if n[12] > 0 {
		st.OldestReady = time.Duration(n[0]-n[12]) * time.Millisecond
	}
	return st, nil
}

func numbers(reply any, want int) ([]int64, error) {
	list, ok := reply.([]any)
	if !ok || len(list) != want {
		return nil, errReply(reply)
	}
	n := make([]int64, want)
	for i := range list {
		v, ok := list[i].(int64)
		if !ok {
			return nil, errReply(reply)
		}
		n[i] = v
	}
	return n, nil
}

// List implements queue.InspectBackend.
func (s *store) List(ctx context.Context, req queue.ListRequest) (queue.Page, error) {
	reply, err := s.run(ctx, s.scripts.list, codeOf(req.State), req.Offset, req.Limit+1)
	if err != nil {
		return queue.Page{}, err
	}
	fields, err := texts(reply)
	if err != nil || len(fields)%5 != 0 {
		return queue.Page{}, errReply(reply)
	}
	var page queue.Page
	for ; len(fields) > 0; fields = fields[5:] {
		if len(page.Messages) == req.Limit {
			page.More = true
			break
		}
		info, err := readInfo(req.State, fields)
		if err != nil {
			return page, err
		}
		page.Messages = append(page.Messages, info)
	}
	return page, nil
}

// found is the reply of get.lua.
type found struct {
	state  string
	fields []string // member, value, e, v, time
}

func (s *store) get(ctx context.Context, id queue.ID) (found, error) {
	reply, err := s.run(ctx, s.scripts.get, id[:])
	if err != nil {
		return found{}, err
	}
	fields, err := texts(reply)
	switch {
	case err != nil:
		return found{}, err
	case len(fields) == 0:
		return found{}, queue.ErrNotFound
	case len(fields) != 6:
		return found{}, errReply(reply)
	}
	return found{state: fields[0], fields: fields[1:]}, nil
}

// Get implements queue.InspectBackend.
func (s *store) Get(ctx context.Context, id queue.ID) (queue.Info, error) {
	m, err := s.get(ctx, id)
	if err != nil {
		return queue.Info{}, err
	}
	return readInfo(stateOf(m.state), m.fields)
}

func texts(reply any) ([]string, error) {
	list, ok := reply.([]any)
	if !ok {
		return nil, errReply(reply)
	}
	out := make([]string, len(list))
	for i := range list {
		text, ok := list[i].(string)
		if !ok {
			return nil, errReply(reply)
		}
		out[i] = text
	}
	return out, nil
}

// readInfo reads member, value, e, v and time.
func readInfo(state queue.State, fields []string) (queue.Info, error) {
	m, err := decode(fields[0], fields[1])
	switch {
	case len(fields[0]) < memberSize:
		return queue.Info{}, err
	case err != nil: // a newer version wrote it: shown as it is
		m.Payload = []byte(fields[1])
	}
	info := queue.Info{Envelope: m.Envelope, State: state, EnqueuedAt: m.enqueued, Failures: m.failures}
	if e := fields[2]; e != "" {
		info.Failures, info.LastError = int(e[0]), e[1:]
	}
	switch v := fields[3]; {
	case v == "":
	case v[0] == 'p':
		info.Progress = []byte(v[1:])
	case v[0] == 'r':
		info.Result = []byte(v[1:])
	}
	at, err := strconv.ParseFloat(fields[4], 64)
	if err != nil {
		return info, errReply(fields[4])
	}
	if at > 0 {
		info.Due = time.UnixMilli(int64(at))
	}
	return info, nil
}

// consumerFor is how long a consumer that is not heard of is listed.
const consumerFor = 30 * time.Second

// Consumers implements queue.InspectBackend.
func (s *store) Consumers(ctx context.Context) ([]queue.ConsumerInfo, error) {
	var all map[string]string
	var now time.Time
	err := redisconn.Retry(ctx, s.rdb, s.opts.OpTimeout, func(ctx context.Context) (err error) {
		if all, err = s.rdb.HGetAll(ctx, s.keys[consumersKey]).Result(); err != nil {
			return err
		}
		now, err = s.rdb.Time(ctx).Result()
		return err
	})
	if err != nil {
		return nil, s.explain(err)
	}
	var list []queue.ConsumerInfo
	for name, v := range all {
		r := reader{rest: v}
		r.bytes(nonceSize)
		if seen := time.UnixMilli(r.int48()); !r.bad && now.Sub(seen) < consumerFor {
			list = append(list, queue.ConsumerInfo{Name: name, Seen: seen})
		}
	}
	slices.SortFunc(list, func(a, b queue.ConsumerInfo) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}
