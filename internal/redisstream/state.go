package redisstream

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed state.lua
var stateLua string

// state is the answer to a question about the log.
type state struct {
	run    string
	base   int64
	n      int64
	newest ID
	at     int64   // ordinal of the entry at the cursor, 0 if there is none
	page   []Entry // N is 0 in an entry that is not of this package
	away   bool    // the member that asked had been forgotten
}

// ask runs the state script on the primary.
func (s *Stream) ask(ctx context.Context, c redis.Scripter, q question, member string, ttl time.Duration) (state, error) {
	keys := []string{s.state, s.log}
	if member != "" {
		keys = append(keys, s.members)
	}
	reply, err := s.stateScript.Run(ctx, c, keys,
		q.cur.ID.String(), q.scan.String(), q.count, member, ttl.Milliseconds()).Slice()
	if err != nil {
		return state{}, err
	}
	return parseState(reply)
}

var errState = errors.New("state of the log is not in the form of this package")

func parseState(reply []any) (st state, err error) {
	if len(reply) != 7 {
		return state{}, errState
	}
	var text [5]string
	for i := range text {
		s, ok := reply[i].(string)
		if !ok {
			return state{}, errState
		}
		text[i] = s
	}
	st.run = text[0]
	if st.base, err = strconv.ParseInt(text[1], 10, 64); err != nil {
		return state{}, fmt.Errorf("%w: %w", errState, err)
	}
	if st.n, err = strconv.ParseInt(text[2], 10, 64); err != nil {
		return state{}, fmt.Errorf("%w: %w", errState, err)
	}
	if st.newest, err = ParseID(text[3]); err != nil {
		return state{}, fmt.Errorf("%w: %w", errState, err)
	}
	if text[4] != "" {
		if st.at, err = strconv.ParseInt(text[4], 10, 64); err != nil {
			return state{}, fmt.Errorf("%w: %w", errState, err)
		}
	}
	away, _ := reply[6].(int64)
	st.away = away == 1
	page, ok := reply[5].([]any)
	if !ok {
		return state{}, errState
	}
	st.page, err = parsePage(page)
	return st, err
}

func parsePage(page []any) ([]Entry, error) {
	entries := make([]Entry, 0, len(page))
	for _, item := range page {
		fields, ok := item.([]any)
		if !ok || len(fields) != 3 {
			return nil, errState
		}
		id, _ := fields[0].(string)
		n, _ := fields[1].(string)
		data, _ := fields[2].(string)
		var e Entry
		var err error
		if e.ID, err = ParseID(id); err != nil {
			return nil, fmt.Errorf("%w: %w", errState, err)
		}
		if n != "" {
			if e.N, err = strconv.ParseInt(n, 10, 64); err != nil {
				e.N = 0 // out of range: nobody of this package wrote it
			}
			e.Data = []byte(data)
		}
		entries = append(entries, e)
	}
	return entries, nil
}
