package chaos

import "context"

// works is what each part does in a node. It calls quiet when it has stopped to make
// new work and has nothing to wait for, and returns when ctx ends.
var works = map[string]func(ctx context.Context, l *life, j *journal, quiet func()){
	"ids": makeIDs, "lock": count, "signals": talk, "cache": remember, "queue": work,
}

// judges look at the journals of each part.
var judges = map[string]func(c *course){
	"ids": judgeIDs, "lock": judgeLock, "signals": judgeSignals, "cache": judgeCache, "queue": judgeQueue,
}
