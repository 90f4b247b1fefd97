package cacheredis

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediskey"
)

// Options tune a Store. The zero value of each field means its default.
type Options struct {
	// Namespace begins every key. Default "cohort".
	Namespace string
	// Buckets is the number of parts of a Cluster that entries spread over, each
	// with a connection of its own per node. All processes need the same number,
	// else calls report cache.ErrMismatch. Default 1, and 3 on a Cluster.
	Buckets int
	// OpTimeout bounds a call whose ctx has no deadline. Default 2 s.
	OpTimeout time.Duration
	// MaxLen is about how many messages are kept for nodes that were cut off; one
	// that missed more drops its copies. Default 10 000.
	MaxLen int64
	// KeepOnFailover lets entries count after another server took over, although
	// it may lack the last writes of its predecessor. Local copies are dropped even so.
	KeepOnFailover bool
	// Logger receives what nobody else hears of. Default: discard.
	Logger *slog.Logger
}

func (o Options) withDefaults(c redis.UniversalClient) (Options, error) {
	if o.Buckets == 0 {
		o.Buckets = 1
		if redisconn.IsCluster(c) {
			o.Buckets = 3
		}
	}
	if o.OpTimeout == 0 {
		o.OpTimeout = 2 * time.Second
	}
	if o.MaxLen == 0 {
		o.MaxLen = 10_000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var errs []error
	if err := rediskey.Namespace(o.Namespace); err != nil {
		errs = append(errs, err)
	}
	if o.Buckets < 0 || o.Buckets > maxBuckets {
		errs = append(errs, fmt.Errorf("Buckets is %d, want 1 to %d", o.Buckets, maxBuckets))
	}
	if o.OpTimeout < 0 {
		errs = append(errs, fmt.Errorf("OpTimeout is %v, want more than 0", o.OpTimeout))
	}
	if o.MaxLen < 0 {
		errs = append(errs, fmt.Errorf("MaxLen is %d, want more than 0", o.MaxLen))
	}
	return o, errors.Join(errs...)
}

const maxBuckets = 256
