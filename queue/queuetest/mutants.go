package queuetest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// Mutant is a store or a queue that breaks one promise. The case of that promise
// must fail with it.
type Mutant struct {
	Promise string
	Fault   string
	store   func(*faults)
	queue   func(*queueFaults)
}

// Store is a Backend with all abilities, as Mutants need it.
type Store interface {
	queue.Backend
	queue.Waiter
	queue.InspectBackend
	queue.ControlBackend
	queue.RecordBackend
	queue.ScheduleBackend
}

// Backend puts the fault between queue and store.
func (m Mutant) Backend(s Store) queue.Backend {
	f := &faults{Store: s, latest: make(map[queue.ID]queue.Receipt)}
	if m.store != nil {
		m.store(f)
	}
	return f
}

// Queue puts the fault between the case and the queue.
func (m Mutant) Queue(q queue.Queue) queue.Queue {
	if m.queue == nil {
		return q
	}
	f := &queueFaults{Queue: q}
	f.Inspector, _ = q.(queue.Inspector)
	f.Controller, _ = q.(queue.Controller)
	m.queue(f)
	return f
}

// faults is a store whose requests and replies can be spoilt.
type faults struct {
	Store
	onEnqueue func(*queue.Envelope) (keep bool)
	onClaim   func(*queue.ClaimRequest)
	onClaimed func(*queue.Claim)
	onSettle  func(*queue.Settlement)
	onStats   func(*queue.Stats)
	onList    func(*queue.ListRequest)
	onListed  func(*queue.Page)
	noExtend  bool
	noWait    bool
	noCancel  bool
	noPause   bool
	noPurge   bool
	noRecord  bool
	noList    bool
	anyTick   bool
	byID      bool // leases are known by their message

	mu     sync.Mutex
	latest map[queue.ID]queue.Receipt
	again  []queue.Claimed
}

func (f *faults) Enqueue(ctx context.Context, batch []queue.Envelope) ([]error, error) {
	if f.onEnqueue == nil {
		return f.Store.Enqueue(ctx, batch)
	}
	var kept []queue.Envelope
	for _, e := range batch {
		if f.onEnqueue(&e) {
			kept = append(kept, e)
		}
	}
	errs, err := f.Store.Enqueue(ctx, kept)
	if len(kept) != len(batch) {
		errs = nil
	}
	return errs, err
}

func (f *faults) Claim(ctx context.Context, req queue.ClaimRequest) (queue.Claim, error) {
	if f.onClaim != nil {
		f.onClaim(&req)
	}
	req.Done = f.translate(req.Done)
	got, err := f.Store.Claim(ctx, req)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range got.Messages {
		f.latest[m.ID] = m.Receipt
	}
	if f.onClaimed != nil {
		f.onClaimed(&got)
	}
	return got, err
}

func (f *faults) translate(list []queue.Receipt) []queue.Receipt {
	if !f.byID {
		return list
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	out := slices.Clone(list)
	for i, r := range out {
		if now, ok := f.latest[queue.ID([]byte(r[:16]))]; ok {
			out[i] = now
		}
	}
	return out
}

func (f *faults) Extend(ctx context.Context, receipts []queue.Receipt, d time.Duration) ([]error, error) {
	if f.noExtend {
		return nil, nil
	}
	return f.Store.Extend(ctx, f.translate(receipts), d)
}

func (f *faults) Settle(ctx context.Context, batch []queue.Settlement) ([]error, error) {
	batch = slices.Clone(batch)
	for i := range batch {
		batch[i].Receipt = f.translate([]queue.Receipt{batch[i].Receipt})[0]
		if f.onSettle != nil {
			f.onSettle(&batch[i])
		}
	}
	return f.Store.Settle(ctx, batch)
}

func (f *faults) Wait(ctx context.Context, d time.Duration) error {
	if !f.noWait {
		return f.Store.Wait(ctx, d)
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (f *faults) Stats(ctx context.Context) (queue.Stats, error) {
	st, err := f.Store.Stats(ctx)
	if f.onStats != nil {
		f.onStats(&st)
	}
	return st, err
}

func (f *faults) List(ctx context.Context, req queue.ListRequest) (queue.Page, error) {
	if f.onList != nil {
		f.onList(&req)
	}
	page, err := f.Store.List(ctx, req)
	if f.onListed != nil {
		f.onListed(&page)
	}
	return page, err
}

func (f *faults) Consumers(ctx context.Context) ([]queue.ConsumerInfo, error) {
	if f.noList {
		return nil, nil
	}
	return f.Store.Consumers(ctx)
}

func (f *faults) Cancel(ctx context.Context, id queue.ID) error {
	if f.noCancel {
		return nil
	}
	return f.Store.Cancel(ctx, id)
}

func (f *faults) Purge(ctx context.Context, state queue.State, limit int) (int, error) {
	if f.noPurge {
		return 0, nil
	}
	return f.Store.Purge(ctx, state, limit)
}

func (f *faults) Pause(ctx context.Context, until time.Time) error {
	if f.noPause {
		return nil
	}
	return f.Store.Pause(ctx, until)
}

func (f *faults) SetProgress(ctx context.Context, r queue.Receipt, p []byte) error {
	if f.noRecord {
		return nil
	}
	return f.Store.SetProgress(ctx, r, p)
}

func (f *faults) Tick(ctx context.Context, name string, tick time.Time, e queue.Envelope) (queue.TickResult, error) {
	if !f.anyTick {
		return f.Store.Tick(ctx, name, tick, e)
	}
	_, err := f.Store.Enqueue(ctx, []queue.Envelope{e})
	_, _ = f.Store.Tick(ctx, name, tick, queue.Envelope{Message: queue.Message{ID: e.ID}}) // moves the tick on
	return queue.TickResult{Fired: true, Last: tick}, err
}

func (f *faults) LastTick(ctx context.Context, name string) (last, now time.Time, err error) {
	last, now, err = f.Store.LastTick(ctx, name)
	if f.anyTick {
		last = now.Add(-time.Second)
	}
	return last, now, err
}

// queueFaults is a queue whose callers' wishes can be spoilt.
type queueFaults struct {
	queue.Queue
	queue.Inspector
	queue.Controller
	onMessage func(*queue.Message)
	onConsume func(ctx *context.Context, h *queue.Handler, opts *queue.ConsumeOptions)
	anyCtx    bool
	allStored bool
	noClose   bool
	anyFilter bool
}

func (f *queueFaults) Enqueue(ctx context.Context, m queue.Message) (queue.ID, error) {
	if f.onMessage != nil {
		f.onMessage(&m)
	}
	if f.anyCtx {
		ctx = context.WithoutCancel(ctx)
	}
	return f.Queue.Enqueue(ctx, m)
}

func (f *queueFaults) EnqueueMany(ctx context.Context, list []queue.Message) ([]queue.Result, error) {
	results, err := f.Queue.EnqueueMany(ctx, list)
	if f.allStored {
		for i := range results {
			results[i].Err = nil
		}
	}
	return results, err
}

func (f *queueFaults) Consume(
	ctx context.Context, h queue.Handler, opts queue.ConsumeOptions,
) (*queue.Consumer, error) {
	if f.onConsume != nil {
		f.onConsume(&ctx, &h, &opts)
	}
	return f.Queue.Consume(ctx, h, opts)
}

func (f *queueFaults) Redrive(ctx context.Context, opts queue.RedriveOptions) (int, error) {
	if f.anyFilter {
		opts = queue.RedriveOptions{}
	}
	return f.Controller.Redrive(ctx, opts)
}

func (f *queueFaults) Close(ctx context.Context) error {
	if f.noClose {
		return nil
	}
	return f.Queue.Close(ctx)
}
