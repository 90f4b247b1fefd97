package snowflake_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort/snowflake"
)

// vectors are IDs of the layout that Compat53 promises to follow.
var vectors = []struct {
	second   int64
	worker   int
	sequence int64
	id       snowflake.ID
}{
	{1605024000, 0, 0, 0},
	{1605024000, 31, 65535, 2097151},
	{1605024001, 0, 1, 2097153},
	{1700000000, 5, 42, 199179108679722},
	{1767225600, 17, 65535, 340161411022847},
	{5899991295, 31, 65535, 9007199254740991},
}

func TestCompat53Vectors(t *testing.T) {
	layout := snowflake.Compat53()
	for _, v := range vectors {
		t.Run(v.id.String(), func(t *testing.T) {
			parts := snowflake.Parts{Time: time.Unix(v.second, 0).UTC(), Worker: v.worker, Sequence: v.sequence}
			id, err := layout.Compose(parts)
			if err != nil || id != v.id {
				t.Errorf("Compose(%v) = %d, %v, want %d", parts, id, err, v.id)
			}
			got, err := layout.Decompose(v.id)
			if err != nil || got != parts {
				t.Errorf("Decompose(%d) = %v, %v, want %v", v.id, got, err, parts)
			}
		})
	}
}

func TestComposeOverflow(t *testing.T) {
	ok := time.Unix(1700000000, 0)
	tests := []struct {
		name  string
		parts snowflake.Parts
		want  []string // of the message
	}{
		{"before the epoch", snowflake.Parts{Time: time.Unix(1605023999, 999999999)}, []string{"time 2020-11-10"}},
		{"second 2^32", snowflake.Parts{Time: time.Unix(5899991296, 0)}, []string{"time 2156-12-17"}},
		{"year of no calendar", snowflake.Parts{Time: time.Unix(math.MaxInt64/2, 0)}, []string{"time"}},
		{"worker 32", snowflake.Parts{Time: ok, Worker: 32}, []string{"worker 32"}},
		{"worker -1", snowflake.Parts{Time: ok, Worker: -1}, []string{"worker -1"}},
		{"sequence 65536", snowflake.Parts{Time: ok, Sequence: 65536}, []string{"sequence 65536"}},
		{"all", snowflake.Parts{Worker: 99, Sequence: -1}, []string{"time", "worker 99", "sequence -1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := snowflake.Compat53().Compose(tt.parts)
			if id != 0 || !errors.Is(err, snowflake.ErrOverflow) {
				t.Fatalf("Compose = %d, %v, want ErrOverflow", id, err)
			}
			wantAll(t, err, tt.want)
		})
	}
}

func TestDecomposeOverflow(t *testing.T) {
	for _, id := range []snowflake.ID{-1, 1 << 53, math.MaxInt64, math.MinInt64} {
		if p, err := snowflake.Compat53().Decompose(id); !errors.Is(err, snowflake.ErrOverflow) {
			t.Errorf("Decompose(%d) = %v, %v, want ErrOverflow", id, p, err)
		}
	}
}

func TestValidate(t *testing.T) {
	good := snowflake.Layout{Epoch: 1288834974657, Tick: time.Millisecond, TimeBits: 41, WorkerBits: 10, SequenceBits: 12}
	tests := []struct {
		name   string
		change func(l *snowflake.Layout)
		want   []string // nil means valid
	}{
		{"41/10/12", func(*snowflake.Layout) {}, nil},
		{"41/5/17", func(l *snowflake.Layout) { *l = snowflake.Wide63() }, nil},
		{"one ID a tick", func(l *snowflake.Layout) { l.SequenceBits = 0 }, nil},
		{"microseconds", func(l *snowflake.Layout) { l.Tick = time.Microsecond }, []string{"Tick is 1µs"}},
		{"1.5 ms", func(l *snowflake.Layout) { l.Tick = 1500 * time.Microsecond }, []string{"Tick is 1.5ms"}},
		{"no time", func(l *snowflake.Layout) { l.TimeBits = 0 }, []string{"TimeBits is 0"}},
		{"17 worker bits", func(l *snowflake.Layout) { l.WorkerBits, l.SequenceBits = 17, 2 }, []string{"WorkerBits is 17"}},
		{"64 bits", func(l *snowflake.Layout) { l.SequenceBits = 13 }, []string{"are 64 in all"}},
		{"765 bits", func(l *snowflake.Layout) { l.TimeBits, l.WorkerBits, l.SequenceBits = 255, 255, 255 }, []string{"are 765 in all", "WorkerBits is 255"}},
		{"epoch in seconds of a later age", func(l *snowflake.Layout) { l.Epoch = math.MaxInt64 }, []string{"Epoch is"}},
		{"ticks of an hour for ever", func(l *snowflake.Layout) { l.Tick, l.TimeBits, l.SequenceBits = time.Hour, 53, 0 }, []string{"53 TimeBits of 1h0m0s"}},
		{"zero", func(l *snowflake.Layout) { *l = snowflake.Layout{} }, []string{"Tick is 0s", "TimeBits is 0", "WorkerBits is 0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			layout := good
			tt.change(&layout)
			err := layout.Validate()
			if (err == nil) != (tt.want == nil) {
				t.Fatalf("Validate = %v, want %q", err, tt.want)
			}
			wantAll(t, err, tt.want)
		})
	}
}

func TestLifetime(t *testing.T) {
	start, end := snowflake.Compat53().Lifetime()
	if got, want := fmt.Sprint(start, " ", end), "2020-11-10 16:00:00 +0000 UTC 2156-12-17 22:28:16 +0000 UTC"; got != want {
		t.Errorf("Lifetime = %s, want %s", got, want)
	}
	if !snowflake.Compat53().Exact53() || snowflake.Wide63().Exact53() {
		t.Error("Exact53 is wrong")
	}
}

func TestRange(t *testing.T) {
	layout := snowflake.Compat53()
	at := func(sec int64) time.Time { return time.Unix(sec, 0) }
	id := func(sec int64, worker int, sequence int64) snowflake.ID {
		id, err := layout.Compose(snowflake.Parts{Time: at(sec), Worker: worker, Sequence: sequence})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	const begin, end = 1605024000, 5899991296
	tests := []struct {
		name        string
		from, to    time.Time
		slack       time.Duration
		first, last snowflake.ID
	}{
		{"one second", at(1700000000), at(1700000001), 0, id(1700000000, 0, 0), id(1700000000, 31, 65535)},
		{"a part of a second", at(1700000000).Add(1), at(1700000000).Add(2), 0, id(1700000000, 0, 0), id(1700000000, 31, 65535)},
		{"slack", at(1700000000), at(1700000001), 1005 * time.Millisecond, id(1699999998, 0, 0), id(1700000002, 31, 65535)},
		{"cut off", at(begin - 9), at(end + 9), time.Hour, 0, id(end-1, 31, 65535)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			first, last, err := layout.Range(tt.from, tt.to, tt.slack)
			if err != nil || first != tt.first || last != tt.last {
				t.Errorf("Range = %d, %d, %v, want %d, %d", first, last, err, tt.first, tt.last)
			}
		})
	}
	for _, bad := range []struct {
		from, to time.Time
		slack    time.Duration
	}{
		{at(1700000000), at(1700000000), time.Second},
		{at(1700000001), at(1700000000), time.Second},
		{at(1700000000), at(1700000001), -1},
		{at(begin - 9), at(begin), 0},
		{at(end), at(end + 9), 0},
	} {
		if _, _, err := layout.Range(bad.from, bad.to, bad.slack); !errors.Is(err, snowflake.ErrOverflow) {
			t.Errorf("Range(%v, %v, %v): %v, want ErrOverflow", bad.from, bad.to, bad.slack, err)
		}
	}
}

func FuzzLayout(f *testing.F) {
	f.Add(int64(1605024000000), int64(1000), uint8(32), uint8(5), uint8(16), int64(199179108679722))
	f.Add(int64(0), int64(1), uint8(41), uint8(10), uint8(12), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, epoch, tickMS int64, timeBits, workerBits, sequenceBits uint8, n int64) {
		layout := snowflake.Layout{
			Epoch: epoch, Tick: time.Duration(tickMS) * time.Millisecond,
			TimeBits: timeBits, WorkerBits: workerBits, SequenceBits: sequenceBits,
		}
		if layout.Validate() != nil {
			return
		}
		parts, err := layout.Decompose(snowflake.ID(n))
		if err != nil {
			return
		}
		if id, err := layout.Compose(parts); err != nil || id != snowflake.ID(n) {
			t.Fatalf("Compose(Decompose(%d)) = %d, %v in %+v", n, id, err, layout)
		}
	})
}

// wantAll fails unless err mentions each of want.
func wantAll(t *testing.T, err error, want []string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in the error:\n%v", w, err)
		}
	}
}
