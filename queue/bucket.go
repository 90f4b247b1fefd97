package queue

import "time"

// valid reports a Rate that limits, or the zero Rate, which does not.
func (r Rate) valid() bool { return r == Rate{} || r.N > 0 && r.Per > 0 && r.Burst >= 0 }

// bucket counts the tokens of a Rate. The zero bucket does not limit.
type bucket struct {
	rate   Rate
	tokens float64
	at     time.Time
}

func newBucket(r Rate) bucket {
	if r.Burst == 0 {
		r.Burst = r.N
	}
	return bucket{rate: r, tokens: float64(r.Burst), at: time.Now()}
}

// limit returns how many of want may be taken now, and when the next token
// comes if that is none.
func (b *bucket) limit(want int, now time.Time) (int, time.Duration) {
	if b.rate.N == 0 || want == 0 {
		return want, 0
	}
	each := float64(b.rate.Per) / float64(b.rate.N)
	b.tokens = min(b.tokens+float64(now.Sub(b.at))/each, float64(b.rate.Burst))
	b.at = now
	if b.tokens < 1 {
		return 0, time.Duration((1-b.tokens)*each) + time.Microsecond
	}
	return min(want, int(b.tokens)), 0
}

// take spends n tokens; a negative n gives them back.
func (b *bucket) take(n int) {
	if b.rate.N > 0 {
		b.tokens = min(b.tokens-float64(n), float64(b.rate.Burst))
	}
}
