package lockredis

import (
	"context"
	"time"

	"github.com/cohort-go/cohort/internal/rediserr"
	"github.com/cohort-go/cohort/lock"
)

// clientPause is the shortest time after which go-redis repeats a command by
// itself, unseen by us (MinRetryBackoff, as it is by default).
const clientPause = 8 * time.Millisecond

// Release implements lock.Backend.
func (b *fifo) Release(ctx context.Context, c lock.Claim) (had bool, err error) {
	s := b.of(c)
	n, err := s.keys.of(c.Name)
	if err != nil {
		return false, err
	}
	args := []any{c.Token, c.TTL.Milliseconds(), n.telling, c.Permits}
	if c.Permits == 0 {
		args = args[:3]
	}
	unsure := false
	err = b.retry(ctx, func(ctx context.Context) error {
		sent := time.Now()
		answer, _, err := b.run(ctx, s.release, n, 0, 0, args...)
		if err != nil {
			unsure = unsure || rediserr.Uncertain(err)
			return err
		}
		had = answer.at(0) == 1 || unsure && time.Now().Before(c.Deadline) ||
			repeated(c, time.Since(sent), answer.at(1) == 1, uint64(answer.at(2)))
		return nil
	})
	return had, err
}

// repeated reports whether "not yours" is the echo of our own release: the
// client may have sent it twice, and the first one took effect. Before the
// deadline of the grant only that explains a free lock whose last fence is ours;
// a slow answer may also find the lock handed on. Everything else is a loss.
func repeated(c lock.Claim, took time.Duration, taken bool, fence uint64) bool {
	if c.Fence == 0 || !time.Now().Before(c.Deadline) {
		return false
	}
	if !taken {
		return fence == c.Fence
	}
	return took >= clientPause && fence > c.Fence
}
