package redisstream

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cohort-go/cohort/internal/script"
)

//go:embed inspect.lua
var inspectLua string

// Info is the state of a log at one moment, by the server's clock.
type Info struct {
	Now          time.Time
	Stored, Kept int64
	Newest       ID                   // zero if there is no entry
	Members      map[string]time.Time // when each was last heard of
}

// Inspect reads the state of the log with the members that were heard of within
// ttl. It writes nothing, and a log that does not exist is an empty one.
func (s *Stream) Inspect(ctx context.Context, ttl time.Duration) (Info, error) {
	reply, err := script.New(inspectLua).Run(ctx, s.client, []string{s.state, s.log, s.members}, ttl.Milliseconds()).Slice()
	if err != nil {
		return Info{}, err
	}
	return parseInfo(reply)
}

func parseInfo(reply []any) (Info, error) {
	if len(reply) != 6 {
		return Info{}, errState
	}
	var number [3]int64
	var bad error
	for i := range number {
		text, _ := reply[i].(string)
		n, err := strconv.ParseInt(text, 10, 64)
		number[i], bad = n, errors.Join(bad, err)
	}
	kept, isCount := reply[3].(int64)
	id, _ := reply[4].(string)
	newest, err := ParseID(id)
	members, isList := reply[5].([]any)
	if bad = errors.Join(bad, err); bad != nil || !isCount || !isList || len(members)%2 != 0 {
		return Info{}, fmt.Errorf("%w: %w", errState, bad)
	}
	info := Info{
		Now: time.UnixMilli(number[0]), Stored: number[2] - number[1], Kept: kept, Newest: newest,
		Members: make(map[string]time.Time, len(members)/2),
	}
	for ; len(members) > 0; members = members[2:] {
		name, _ := members[0].(string)
		score, _ := members[1].(string)
		ms, err := strconv.ParseFloat(score, 64)
		if err != nil {
			return Info{}, fmt.Errorf("%w: %w", errState, err)
		}
		info.Members[name] = time.UnixMilli(int64(ms))
	}
	return info, nil
}
