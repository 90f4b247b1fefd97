// Package redisstream is an ordered log in Redis that many processes follow:
// a Redis stream for truth, a pub/sub push of the same entries for speed.
//
// A follower sees every entry in order, or a [Gap] at the place where entries
// are missing. Each entry has an ordinal, one above that of the entry before
// it, so a follower recognises a loss from the ordinals alone, whatever caused
// it: a lost push, a trimmed stream, a failover, a flush of the server.
//
// # Writing
//
// A [Stream] names the keys. [Stream.Append] stores entries by a script of its
// own. A caller whose entries must be stored together with other keys, in one
// step that happens as a whole or not at all, puts [AppendLua] before its own
// script, calls stream_append in it, and passes the keys and arguments that
// [Stream.Keys] and [Stream.Args] return:
//
//	-- set.lua. KEYS: 1 the entry, then the stream's; ARGV: 1 the value, then the stream's.
//	redis.call('SET', KEYS[1], ARGV[1])
//	return stream_append(KEYS, 1, ARGV, 1, {ARGV[#ARGV]})
//
// and in Go
//
//	set := script.New(redisstream.AppendLua() + setLua)
//	keys := append([]string{entryKey}, stream.Keys()...)
//	args := append([]any{value}, stream.Args()...)
//	set.Run(ctx, client, keys, append(args, invalidation)...)
//
// All keys of a stream share one hash tag; in a Cluster the caller's keys must
// carry it too.
//
// # Following
//
// A [Reader] follows a stream from the moment at which [Reader.Start] returned,
// on a client of its own: one subscribed connection, and one that asks for the
// state of the log. What happens is told to the functions of [Events], one call
// at a time and in order. A cache that is told of changes by a stream serves an
// entry of its own memory only while this proof holds:
//
//	Entries: apply each of them
//	Gap:     drop everything, then go on
//	Fresh:   freshUntil = asked + bound: the log holds nothing that was
//	         stored before asked and is not applied yet
//	Stale:   freshUntil = 0: the log cannot be reached, or runs elsewhere
//
// [Reader.Audit] asks at once instead of at the next interval.
//
// # What is not promised
//
// An entry may be in the log twice, if an append whose outcome was unknown was
// sent again; the caller tells repeats apart.
//
// A server that restarts, or takes over, may lack what was acknowledged before, and
// what no follower has seen of that leaves no trace. So every change of server is a
// Gap, also where nothing was lost. It cannot cover what a deposed primary, that
// knows of no successor, acknowledges to those who still reach it after a follower
// has left it: that is lost without a word. min-replicas-to-write bounds how long it
// does so.
//
// Where the user may not call INFO, another server is only noticed if ordinals went
// back, or if another entry stands where one was that was handed on.
package redisstream
