package redisstream

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/internal/script"
)

//go:embed create.lua
var createLua string

//go:embed append.lua
var appendLua string

//go:embed append_main.lua
var appendMainLua string

// AppendLua returns the Lua text that defines stream_append, for the head of a
// script that stores entries together with keys of its own.
func AppendLua() string { return createLua + appendLua }

// Options name a Stream.
type Options struct {
	// Namespace, Area and Name make the keys: "namespace:area:{name}:part".
	// Name may be any text that rediskey.Encode takes.
	Namespace, Area, Name string
	// MaxLen is about how many entries are kept. Default 100 000.
	MaxLen int64
}

// Stream is one log. It is immutable and safe for concurrent use.
type Stream struct {
	client       redis.UniversalClient
	state, log   string
	tag          string
	members      string
	push         string
	sharded      bool
	maxLen       int64
	appending    *script.Script
	stateScript  *script.Script
	memberScript *script.Script
}

// New names a stream on the borrowed client. It does no I/O.
func New(c redis.UniversalClient, o Options) (*Stream, error) {
	if err := redisconn.Check(c); err != nil {
		return nil, err
	}
	if err := rediskey.Namespace(o.Namespace); err != nil {
		return nil, err
	}
	name, err := rediskey.Encode(o.Name)
	if err != nil {
		return nil, err
	}
	if o.MaxLen < 0 {
		return nil, fmt.Errorf("MaxLen is %d, want 0 or more", o.MaxLen)
	}
	if o.MaxLen == 0 {
		o.MaxLen = 100_000
	}
	join := func(part string) string { return rediskey.Join(o.Namespace, o.Area, name, part) }
	return &Stream{
		client: c,
		tag:    name, state: join("h"), log: join("s"), members: join("m"),
		push:         join("p:" + strconv.Itoa(database(c))),
		sharded:      redisconn.IsCluster(c),
		maxLen:       o.MaxLen,
		appending:    script.New(AppendLua() + appendMainLua),
		stateScript:  script.New(createLua + stateLua),
		memberScript: script.New(membersLua),
	}, nil
}

// database is the number of the client's database: pub/sub does not know
// databases, so the channel carries it.
func database(c redis.UniversalClient) int {
	if single, ok := c.(*redis.Client); ok {
		return single.Options().DB
	}
	return 0
}

// Keys returns the keys that stream_append declares.
func (s *Stream) Keys() []string { return []string{s.state, s.log} }

// Args returns the arguments that stream_append takes.
func (s *Stream) Args() []any {
	command := "PUBLISH"
	if s.sharded {
		command = "SPUBLISH"
	}
	return []any{command, s.push, s.maxLen}
}

// Tag is the hash tag of the stream's keys, without braces.
func (s *Stream) Tag() string { return s.tag }

// Append stores entries, all or none, in order, and pushes them to the readers.
// An error does not mean that nothing was stored; rediserr.Uncertain tells.
func (s *Stream) Append(ctx context.Context, entries ...[]byte) ([]Cursor, error) {
	return Appended(s.appending.Run(ctx, s.client, s.Keys(), s.appendArgs(entries)...))
}

// Queue adds an append to a pipeline that script.Exec runs.
func (s *Stream) Queue(ctx context.Context, p redis.Pipeliner, entries ...[]byte) *redis.Cmd {
	return s.appending.Queue(ctx, p, s.Keys(), s.appendArgs(entries)...)
}

// QueueTx adds an append, with the script's text, to a pipeline of the caller,
// such as a MULTI.
func (s *Stream) QueueTx(ctx context.Context, p redis.Pipeliner, entries ...[]byte) *redis.Cmd {
	return s.appending.Eval(ctx, p, s.Keys(), s.appendArgs(entries)...)
}

func (s *Stream) appendArgs(entries [][]byte) []any {
	args := append(make([]any, 0, 3+len(entries)), s.Args()...)
	for _, e := range entries {
		args = append(args, e)
	}
	return args
}

// Appended reads what stream_append returned: the place of each entry. Base and
// Run are not known.
func Appended(cmd *redis.Cmd) ([]Cursor, error) {
	reply, err := cmd.StringSlice()
	if err != nil {
		return nil, err
	}
	if len(reply) < 2 {
		return nil, errors.New("append: reply has no entry")
	}
	first, err := strconv.ParseInt(reply[0], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("append: ordinal: %w", err)
	}
	places := make([]Cursor, len(reply)-1)
	for i, text := range reply[1:] {
		id, err := ParseID(text)
		if err != nil {
			return nil, fmt.Errorf("append: %w", err)
		}
		places[i] = Cursor{N: first + int64(i), ID: id}
	}
	return places, nil
}

// Trim removes entries that were stored before the given server time, about.
func (s *Stream) Trim(ctx context.Context, before time.Time) error {
	minID := ID{Ms: uint64(max(before.UnixMilli(), 0))}
	return s.client.XTrimMinIDApprox(ctx, s.log, minID.String(), 0).Err()
}
