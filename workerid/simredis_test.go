package workerid_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// simRedis is a Redis without a network or a clock of its own, which runs the
// real scripts. It is a hook of a go-redis client that never dials.
type simRedis struct {
	now   func() int64 // Unix milliseconds
	runID string
	repID string
	blind bool                       // INFO is refused
	spoil func(script string) string // makes the scripts faulty, or nil
	data  simData

	state   *lua.LState
	scripts map[string]*lua.FunctionProto
}

type simData struct {
	hash map[string]map[string]string
	zset map[string]map[string]float64
}

func (d simData) clone() simData {
	c := simData{make(map[string]map[string]string), make(map[string]map[string]float64)}
	for k, v := range d.hash {
		c.hash[k] = maps.Clone(v)
	}
	for k, v := range d.zset {
		c.zset[k] = maps.Clone(v)
	}
	return c
}

func newSimRedis(now func() int64) *simRedis {
	s := &simRedis{now: now, runID: "run1", repID: "rep1", state: lua.NewState(), scripts: make(map[string]*lua.FunctionProto)}
	s.data = s.data.clone()
	table := s.state.NewTable()
	s.state.SetFuncs(table, map[string]lua.LGFunction{
		"call":  func(l *lua.LState) int { return s.call(l, true) },
		"pcall": func(l *lua.LState) int { return s.call(l, false) },
	})
	s.state.SetGlobal("redis", table)
	return s
}

// client returns a client whose commands end in s. It has an address without a
// name, which go-redis would look up.
func (s *simRedis) client() *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: "192.0.2.1:6379", ContextTimeoutEnabled: true, MaxRetries: -1})
	c.AddHook(s)
	return c
}

func (*simRedis) DialHook(next redis.DialHook) redis.DialHook { return next }
func (*simRedis) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

type simError string

func (e simError) Error() string { return string(e) }
func (simError) RedisError()     {}

// ProcessHook runs EVAL and EVALSHA.
func (s *simRedis) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		reply, err := s.eval(cmd.Args())
		if err != nil {
			cmd.SetErr(err)
			return err
		}
		cmd.(*redis.Cmd).SetVal(reply)
		return nil
	}
}

func (s *simRedis) eval(args []any) (any, error) {
	digest := fmt.Sprint(args[1])
	if args[0] == "eval" {
		var err error
		if digest, err = s.load(digest); err != nil {
			return nil, err
		}
	}
	if s.scripts[digest] == nil {
		return nil, simError("NOSCRIPT No matching script")
	}
	keys, _ := strconv.Atoi(fmt.Sprint(args[2]))
	s.state.SetGlobal("KEYS", s.list(args[3:3+keys]))
	s.state.SetGlobal("ARGV", s.list(args[3+keys:]))
	s.state.Push(s.state.NewFunctionFromProto(s.scripts[digest]))
	if err := s.state.PCall(0, 1, nil); err != nil {
		return nil, err
	}
	v := s.state.Get(-1)
	s.state.Pop(1)
	return fromLua(v), nil
}

// load compiles a script and returns its digest.
func (s *simRedis) load(text string) (digest string, err error) {
	sum := sha1.Sum([]byte(text))
	digest = hex.EncodeToString(sum[:])
	if s.scripts[digest] != nil {
		return digest, nil
	}
	if s.spoil != nil {
		text = s.spoil(text)
	}
	chunk, err := parse.Parse(strings.NewReader(text), digest)
	if err == nil {
		s.scripts[digest], err = lua.Compile(chunk, digest)
	}
	return digest, err
}

func (s *simRedis) list(items []any) *lua.LTable {
	t := s.state.NewTable()
	for _, item := range items {
		t.Append(lua.LString(fmt.Sprint(item)))
	}
	return t
}

func fromLua(v lua.LValue) any {
	switch v := v.(type) {
	case lua.LNumber:
		return int64(v)
	case lua.LString:
		return string(v)
	case *lua.LTable:
		list := []any{}
		for i := 1; i <= v.Len(); i++ {
			list = append(list, fromLua(v.RawGetInt(i)))
		}
		return list
	}
	return nil
}

func (s *simRedis) call(l *lua.LState, raise bool) int {
	args := make([]string, l.GetTop())
	for i := range args {
		args[i] = l.ToString(i + 1)
	}
	v, err := s.command(args)
	switch {
	case err == nil:
		l.Push(v)
	case raise:
		l.RaiseError("%v", err)
	default:
		t := l.NewTable()
		t.RawSetString("err", lua.LString(err.Error()))
		l.Push(t)
	}
	return 1
}

// command runs one of the commands that the scripts use.
func (s *simRedis) command(a []string) (lua.LValue, error) {
	switch a[0] {
	case "TIME":
		now := s.now()
		return s.list([]any{now / 1000, now % 1000 * 1000}), nil
	case "INFO":
		if s.blind {
			return nil, simError("NOPERM")
		}
		return lua.LString("run_id:" + s.runID + "\r\nmaster_replid:" + s.repID + "\r\n"), nil
	case "HGET":
		return s.field(a[1], a[2]), nil
	case "HMGET":
		values := s.state.NewTable()
		for _, f := range a[2:] {
			values.Append(s.field(a[1], f))
		}
		return values, nil
	case "HSET":
		if s.data.hash[a[1]] == nil {
			s.data.hash[a[1]] = make(map[string]string)
		}
		for pair := range slices.Chunk(a[2:], 2) {
			s.data.hash[a[1]][pair[0]] = pair[1]
		}
	case "HDEL":
		delete(s.data.hash[a[1]], a[2])
	case "DEL":
		delete(s.data.zset, a[1])
	case "ZADD":
		if s.data.zset[a[1]] == nil {
			s.data.zset[a[1]] = make(map[string]float64)
		}
		score, err := strconv.ParseFloat(a[2], 64)
		s.data.zset[a[1]][a[3]] = score
		return lua.LNumber(1), err
	case "ZCARD":
		return lua.LNumber(len(s.data.zset[a[1]])), nil
	case "ZRANGE":
		return s.zrange(a[1], 0, a[3])
	case "ZRANGEBYSCORE":
		return s.zrangeByScore(a)
	default:
		return nil, simError("ERR unknown command " + a[0])
	}
	return lua.LNumber(1), nil
}

func (s *simRedis) field(key, field string) lua.LValue {
	if v, ok := s.data.hash[key][field]; ok {
		return lua.LString(v)
	}
	return lua.LFalse
}

func (s *simRedis) members(key string) []string {
	scores := s.data.zset[key]
	list := slices.Sorted(maps.Keys(scores))
	slices.SortStableFunc(list, func(x, y string) int { return int(scores[x] - scores[y]) })
	return list
}

func (s *simRedis) zrange(key string, from int, to string) (lua.LValue, error) {
	last, err := strconv.Atoi(to)
	list := s.members(key)
	return s.strings(list[from:min(last+1, len(list))]), err
}

func (s *simRedis) zrangeByScore(a []string) (lua.LValue, error) {
	var low, high float64
	fmt.Sscan(strings.TrimPrefix(a[2], "("), &low)
	fmt.Sscan(a[3], &high)
	var list []string
	for _, m := range s.members(a[1]) {
		score := s.data.zset[a[1]][m]
		if score >= low && score <= high && !(a[2][0] == '(' && score == low) {
			list = append(list, m)
		}
	}
	if len(a) > 4 {
		offset, _ := strconv.Atoi(a[5])
		count, _ := strconv.Atoi(a[6])
		list = list[min(offset, len(list)):min(offset+count, len(list))]
	}
	return s.strings(list), nil
}

func (s *simRedis) strings(list []string) *lua.LTable {
	items := make([]any, len(list))
	for i, v := range list {
		items[i] = v
	}
	return s.list(items)
}
