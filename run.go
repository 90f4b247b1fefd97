package cohort

import (
	"context"
	"errors"
	"os/signal"
	"syscall"
	"time"
)

// ErrTerminated is the cause of the ctx that [Node.Run] gives to its function
// once the process was asked to end.
var ErrTerminated = errors.New("process was asked to end")

// RunOptions tune [Node.Run]. The zero value of each field means its default.
type RunOptions struct {
	// DrainDelay is the time between "not ready" and the end of the function's
	// ctx, so that load balancers notice before listeners close: a little more
	// than they take between two probes. Default 0.
	DrainDelay time.Duration
	// Grace bounds everything after DrainDelay: the function's way out and
	// Close. Keep it below the time after which the process is killed. Default
	// [DefaultGrace].
	Grace time.Duration
}

// Run calls serve, closes the Node when serve has returned, and returns what went
// wrong with either. The ctx of serve ends with cause [ErrTerminated] on SIGTERM
// or an interrupt, and when ctx ends; by then the node has not been ready for
// DrainDelay. A second signal kills the process as usual. If serve has not
// returned when Grace is over, Run closes the Node nevertheless and says so.
func (n *Node) Run(ctx context.Context, opts RunOptions, serve func(ctx context.Context) error) error {
	if opts.Grace == 0 {
		opts.Grace = DefaultGrace
	}
	asked, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	serving, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	served := make(chan error, 1)
	go func() { served <- serve(serving) }() // ends with serve

	var err error
	select {
	case err = <-served:
		return errors.Join(err, n.closeWithin(opts.Grace))
	case <-asked.Done():
	}
	stop()
	n.Drain()
	grace := opts.DrainDelay + opts.Grace
	deadline := time.Now().Add(grace)
	select {
	case err = <-served:
		return errors.Join(clean(err), n.closeWithin(time.Until(deadline)))
	case <-time.After(opts.DrainDelay):
	}
	end(ErrTerminated)
	select {
	case err = <-served:
		err = clean(err)
	case <-time.After(opts.Grace / 2):
		err = errStuck
	}
	return errors.Join(err, n.closeWithin(time.Until(deadline)))
}

var errStuck = errors.New("cohort: the function given to Run did not return in time")

// clean drops the error that only says that the process was asked to end.
func clean(err error) error {
	if errors.Is(err, ErrTerminated) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (n *Node) closeWithin(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return n.Close(ctx)
}
