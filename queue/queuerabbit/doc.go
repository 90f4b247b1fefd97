// Package queuerabbit keeps queues in RabbitMQ 4.0 or newer, on quorum queues.
//
// It has a supervisor of its own instead of the client library's recovery, with
// which a delivery that is acknowledged after a reconnect can acknowledge another
// message: here every delivery belongs to a generation of its channel, and to settle
// one of an earlier generation is queue.ErrLeaseLost and sends nothing. Publishing and
// consuming have connections of their own, so that an alarm that stops publishers
// does not stop consumers. What a queue needs of the broker is declared again on
// every generation.
//
// # What is kept
//
// A message is safe once Enqueue returned nil: a majority of the queue's nodes has it
// on disk. It is published as mandatory, so one that no queue took is an error although
// brokers confirm it. A confirmation that did not come before the connection went is
// queue.ErrUncertain.
//
// A retry is a copy with the same ID and its failures counted, stored before the
// original is acknowledged: a crash between duplicates, and never loses. A message
// that lost its worker three times (x-delivery-count) is moved to a queue of its own
// kind and from then on runs alone in its process; there each further loss counts as
// an attempt, and it is dead at MaxAttempts before its handler runs.
//
// # What the broker cannot do
//
// Leases that end by time, priorities in strict order, order by key, deduplication,
// unique keys, expiry, pausing, cluster-wide limits and schedules, and telling which
// messages are ready, delayed or in flight: they are not in Capabilities and asking for
// them is queue.ErrUnsupported. What is held goes
// back when its connection ends. What a worker gives back goes to the head of the
// queue, but the broker mixes up those that are given back together or are on their
// way meanwhile. An ordered queue ([Options].Ordered) is worked on one
// message at a time in the whole cluster; its retries wait in the worker.
//
// # Looking at a queue
//
// All of it is plain AMQP. Stats counts what is ready and what is dead by passive
// declares; its Now is the process' time. List, Get, Cancel and Redrive read the dead
// messages and give back those that stay, which keeps their order and is no delivery
// that counts, so that none is lost however often it is looked at; each call reads all
// of them, and one process does so at a time. Redrive stores a message before it takes
// it from the dead: cut off in between, it is in both places. Get and Cancel of a message
// that is not among the dead are queue.ErrUnsupported, because nothing else can be found
// by its ID. Purge empties what is ready or what is dead, at once.
//
// # Names
//
//	cohort.queue.NAME         the queue
//	cohort.queue.NAME.dead    dead messages; looking at them changes nothing
//	cohort.queue.NAME.solo    messages that lost their workers
//	cohort.queue.NAME.look    held by the connection that looks at the dead
//	cohort.delay.K            levels of the delay ladder, 2^K × 100 ms each
//	cohort.delay.out          its exit
//	cohort.delay.limbo        messages whose queue was gone when their time came;
//	                          they move back once it is declared again
//
// # Delays
//
// A message walks down the levels whose bits make up its delay, so it is never early;
// it is late by less than 100 ms and what the hops take. All queues of a namespace
// share the ladder. A queue with MaxLen is left out, because one that is full would
// hold up the others: its delays are not supported and its retries wait in the worker.
package queuerabbit
