package queuetest

import "github.com/cohort-go/cohort/queue"

// Promises returns what the suite checks.
func Promises() []Promise {
	var all []Promise
	for _, group := range [][]Promise{
		delivery(), failure(), timing(), ordering(), identity(), leases(), shutdown(), limits(), control(), reports(),
	} {
		all = append(all, group...)
	}
	return all
}

func delivery() []Promise {
	return []Promise{
		{"Delivers", "a message enqueued while nobody consumes is handled once, with all its fields", 0, delivers},
		{"Batch", "EnqueueMany stores any number of messages, each once", 0, batch},
		{"Refuses", "a message that is too large or invalid is refused alone", 0, refuses},
		{"Shares", "several nodes share the work and no message runs twice", 0, shares},
		{"WakesUp", "an idle consumer finds a message without polling for it", 0, wakesUp},
		{"Kinds", "a Mux calls the handler of the kind; an unknown kind fails and is reported", 0, kinds},
		{"BatchHandler", "a batch handler gets messages together and settles each by its own error", 0, batchHandler},
		{"Middleware", "middleware wraps the handler, the first outermost", 0, middleware},
		{"EndedContext", "Enqueue with an ended ctx stores nothing", 0, endedContext},
	}
}

func failure() []Promise {
	d, dead := queue.CanDelay, queue.CanKeepDead|queue.CanCount
	return []Promise{
		{"Retries", "a failed message comes again, its attempts counted, after the backoff", d, retries},
		{"RetriesIn", "RetryIn says when the next attempt is, whatever the backoff says", d, retriesIn},
		{"Panics", "a panic is a failure, and the worker goes on", d, panics},
		{"Exits", "a handler that calls runtime.Goexit failed, and takes no worker along", d, exits},
		{"Dies", "after MaxAttempts failures a message is dead and does not come again", dead, dies},
		{"Dead", "Dead ends a message at its first attempt", dead, deadAtOnce},
		{"Discards", "Discard drops a message for good", 0, discards},
		{"Snoozes", "Snooze puts a message off and uses no attempt", d, snoozes},
		{"TimesOut", "a handler's ctx ends with ErrTimeout, and the message is retried", d, timesOut},
		{"Stuck", "a handler that ignores its timeout is reported and its message runs elsewhere", d, stuck},
	}
}

func timing() []Promise {
	return []Promise{
		{"Delays", "a delayed message is never early, and not late for lack of a signal", queue.CanDelay, delays},
		{"Expires", "an expired message is dropped and counted", queue.CanExpire | queue.CanInspect, expires},
		{"Schedules", "any number of schedulers fire each tick once", queue.CanSchedule | queue.CanInspect, schedules},
	}
}

func ordering() []Promise {
	return []Promise{
		{"Order", "messages of one priority start in the order of Enqueue", queue.CanReturn, order},
		{"Priority", "a message starts before all of a lower priority", queue.CanPrioritize, priority},
		{"KeyOrder", "messages of one key run one at a time in order, across retries; other keys pass", queue.CanOrderKeys | queue.CanDelay, keyOrder},
		{"KeyOpens", "a key opens when its message is dead, discarded, cancelled or expired", queue.CanOrderKeys | queue.CanCancel | queue.CanExpire, keyOpens},
	}
}

func identity() []Promise {
	u := queue.CanUnique
	return []Promise{
		{"Deduplicates", "a given ID is taken while its message exists and for a time after its end", queue.CanDeduplicate, deduplicates},
		{"UniqueUntilDone", "a unique key is taken until its message ends, whatever other messages do", u, uniqueUntilDone},
		{"UniqueConflict", "a message that is refused for its ID does not keep its unique key", u | queue.CanDeduplicate, uniqueConflict},
		{"UniqueUntilStart", "a unique key of UntilStart is free once the message started", u, uniqueUntilStart},
		{"UniqueTTL", "a unique key is free after its TTL, and the old message does not give up the new one's", u, uniqueTTL},
		{"UniqueRedrive", "redrive takes the unique key again or leaves the message dead", u | queue.CanKeepDead | queue.CanInspect, uniqueRedrive},
	}
}

func leases() []Promise {
	l := queue.CanLease
	return []Promise{
		{"Heartbeat", "a handler that runs longer than its lease runs once", l, heartbeat},
		{"HoldsBuffered", "messages held for slow handlers run once", l, holdsBuffered},
		{"Lapses", "a message whose holder went away comes again within its lease", l, lapses},
		{"StaleLapsed", "a lease that ended cannot settle or extend its message", l, staleLapsed},
		{"StaleReleased", "a lease that was released, snoozed or retried cannot touch its message again", queue.CanReturn | queue.CanDelay, staleReleased},
		{"StaleReused", "a lease cannot touch a redriven message, nor another of the same ID", queue.CanKeepDead, staleReused},
		{"Isolates", "a message that loses its workers runs alone, and dies after MaxAttempts", queue.CanIsolate | queue.CanInspect | l, isolates},
		{"Extends", "Extend keeps a received message", l, extends},
	}
}

func shutdown() []Promise {
	return []Promise{
		{"GivesBack", "Close gives back what did not start, at the head, in order, attempts unchanged", queue.CanReturn, givesBack},
		{"Graceful", "Close lets handlers finish within the grace", 0, graceful},
		{"Interrupts", "after the grace a handler's ctx ends with ErrShutdown and no attempt is used", 0, interrupts},
		{"StuckAtClose", "Close reports a handler that ignores its ctx, gives its message back, and is not late", queue.CanReturn, stuckAtClose},
		{"ConsumeContext", "the end of Consume's ctx ends the Consumer, and Wait says why", 0, consumeContext},
		{"Closed", "a closed queue reports ErrClosed; Close is idempotent", 0, closed},
	}
}

func limits() []Promise {
	return []Promise{
		{"Concurrency", "no more than Concurrency handlers run", 0, concurrency},
		{"Gate", "a node that does not accept holds nothing, and leaves messages to others", queue.CanReturn, gate},
		{"RateLimit", "a Consumer keeps to its RateLimit", 0, rateLimit},
		{"ClusterRate", "all nodes together keep to ClusterRate", queue.CanLimitRate, clusterRate},
		{"RateReturned", "what is given back uses up no ClusterRate, and who sets none is not bound", queue.CanLimitRate | queue.CanReturn, rateReturned},
		{"MaxInFlight", "all nodes together hold no more than MaxInFlight", queue.CanLimitInFlight, maxInFlight},
	}
}

func control() []Promise {
	i, dead := queue.CanInspect, queue.CanKeepDead|queue.CanCount
	return []Promise{
		{"Cancels", "Cancel removes a message in any state", queue.CanCancel | i | queue.CanDelay, cancels},
		{"CancelsRunning", "Cancel of a running message ends its ctx and lets no attempt follow", queue.CanCancel | i | queue.CanLease, cancelsRunning},
		{"Pauses", "Pause stops claims of all nodes until Resume or its end; Receive reports ErrPaused", queue.CanPause, pauses},
		{"Purges", "Purge removes the messages of a state and no other", queue.CanPurge | i | queue.CanDelay, purges},
		{"Redrives", "Redrive makes the chosen dead messages new", dead, redrives},
		{"RedrivesSlowly", "Redrive with a rate takes its time and leaves none behind", dead, redrivesSlowly},
		{"LooksAtDead", "dead messages can be looked at in pages, and looking changes nothing", dead, looksAtDead},
		{"RemovesDead", "a dead message can be cancelled and all of them purged, and no other is", dead, removesDead},
		{"PurgesReady", "Purge removes what is ready and leaves what is dead", queue.CanPurge | dead, purgesReady},
	}
}

func reports() []Promise {
	i := queue.CanInspect
	return []Promise{
		{"CountsDead", "Stats counts what is ready and what is dead", queue.CanCount | queue.CanKeepDead, countsDead},
		{"Accounts", "what came in is done, removed or left", i | queue.CanDelay | queue.CanCancel | queue.CanPurge, accounts},
		{"Counts", "Stats counts every state, ready messages by priority, and knows the age of the next", i | queue.CanPrioritize | queue.CanDelay, counts},
		{"Lists", "every state can be listed in pages, and Get finds each message", i | queue.CanDelay | queue.CanOrderKeys, lists},
		{"Records", "progress and results can be read, and are kept for the Retain time", queue.CanRecord | i, records},
		{"Consumers", "the consumers of the cluster are listed", i, consumers},
	}
}
