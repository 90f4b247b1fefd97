package queue

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/netresearch/go-cron"
)

// Schedule enqueues a message at each tick of a clock. Any number of processes
// may run the same Schedule: each tick enqueues one message.
type Schedule struct {
	// Name identifies the Schedule in the queue.
	Name string
	// Cron has five fields, or six with seconds first, or is @hourly, @daily,
	// @weekly, @monthly, @yearly or "@every 90s". The ticks of @every are the
	// multiples of the interval since the Unix epoch.
	Cron string
	// Location is where the fields of Cron hold. Default UTC.
	Location *time.Location
	// Message makes the message of a tick.
	Message func(tick time.Time) Message
	// Misfire says what happens to ticks that no process was there for.
	Misfire Misfire
	// CatchUp bounds the ticks of MisfireAll. Default 10.
	CatchUp int
}

// Misfire is what happens to ticks that are late by more than a minute.
type Misfire uint8

// Of the ticks that were missed the last fires (MisfireOnce), none
// (MisfireSkip), or all up to Schedule.CatchUp (MisfireAll).
const (
	MisfireOnce Misfire = iota
	MisfireSkip
	MisfireAll
)

// missedAfter is how late a tick may be without being missed.
const missedAfter = time.Minute

// clock yields the ticks of a Schedule.
type clock interface {
	// Next returns the first tick after t, or the zero time.
	Next(t time.Time) time.Time
}

// every ticks at the multiples of an interval.
type every time.Duration

// Next implements clock.
func (e every) Next(t time.Time) time.Time {
	d := time.Duration(e)
	return time.Unix(0, (t.UnixNano()/int64(d)+1)*int64(d))
}

func (s *Schedule) clock() (clock, error) {
	var errs []error
	if s.Name == "" || len(s.Name) > maxName {
		errs = append(errs, fmt.Errorf("%w: schedule name %q", ErrInvalid, s.Name))
	}
	if s.Message == nil {
		errs = append(errs, fmt.Errorf("%w: schedule %q makes no message", ErrInvalid, s.Name))
	}
	c, err := parseClock(s.Cron)
	if err != nil {
		errs = append(errs, fmt.Errorf("%w: schedule %q: %w", ErrInvalid, s.Name, err))
	}
	return c, errors.Join(errs...)
}

func parseClock(spec string) (clock, error) {
	if interval, ok := strings.CutPrefix(spec, "@every "); ok {
		d, err := time.ParseDuration(interval)
		if err != nil {
			return nil, err
		}
		if d < time.Second {
			return nil, fmt.Errorf("interval %v is below 1s", d)
		}
		return every(d), nil
	}
	p, err := cron.TryNewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	if err != nil {
		return nil, err
	}
	return p.Parse(spec)
}

// missed returns the ticks in (last, now] that must fire, oldest first, and the
// next tick after now. It looks back only as far as it needs to find them.
func (s *Schedule) missed(c clock, last, now time.Time) (due []time.Time, next time.Time) {
	keep := 1
	switch s.Misfire {
	case MisfireOnce:
	case MisfireSkip:
		last = later(last, now.Add(-missedAfter))
	case MisfireAll:
		keep = or(s.CatchUp, 10)
	}
	for back := missedAfter; ; back *= 2 {
		from := later(last, now.Add(-back))
		due, next = ticks(c, s.local(from), now)
		if len(due) >= keep || from.Equal(last) {
			return due[max(len(due)-keep, 0):], next
		}
	}
}

// ticks returns those in (from, now], and the one after.
func ticks(c clock, from, now time.Time) (due []time.Time, next time.Time) {
	for t := c.Next(from); !t.IsZero(); t = c.Next(t) {
		if t.After(now) {
			return due, t
		}
		due = append(due, t)
	}
	return due, time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *Schedule) local(t time.Time) time.Time {
	if s.Location == nil {
		return t.UTC()
	}
	return t.In(s.Location)
}
