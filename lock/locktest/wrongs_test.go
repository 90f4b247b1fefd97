package locktest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cohort-go/cohort/lock"
)

// wrongs are the mutants; together they break every promise.
func wrongs() []wrong {
	return append(wrongBackends(), wrongLockers()...)
}

func wrongBackends() []wrong {
	return []wrong{
		{name: "grants to everybody", breaks: []string{"Exclusive", "TryHeld", "Lead", "Renewed"}, mutant: func() *mutant {
			return &mutant{acquire: func(m *mutant, ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
				r, err := m.Backend.Acquire(ctx, c, wait)
				r.State = lock.Granted
				return r, err
			}}
		}},
		{name: "one fence for all", breaks: []string{"FenceRises", "ManyTurns"}, mutant: func() *mutant {
			return &mutant{acquire: func(m *mutant, ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
				r, err := m.Backend.Acquire(ctx, c, wait)
				r.Fence = 1
				return r, err
			}}
		}},
		{name: "folds the case of names", breaks: []string{"NamesApart"}, mutant: func() *mutant {
			return &mutant{acquire: func(m *mutant, ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
				c.Name = strings.ToLower(c.Name)
				return m.Backend.Acquire(ctx, c, wait)
			}}
		}},
		{name: "polls instead of queueing", breaks: []string{"TryDoesNotOvertake", "ProcessOrder"}, mutant: func() *mutant {
			return &mutant{
				acquire: func(m *mutant, ctx context.Context, c lock.Claim, _ bool) (lock.Reply, error) {
					r, err := m.Backend.Acquire(ctx, c, false)
					r.Poll = 300*time.Millisecond + rand.N(time.Second)
					return r, err
				},
				inspect: func(i lock.Info) lock.Info {
					i.Waiters = 1 + int(time.Now().UnixMilli()%5)
					return i
				},
			}
		}},
		{name: "loses wake-ups", breaks: []string{"ReleaseWakes"}, mutant: func() *mutant {
			return &mutant{events: func(e lock.Events) lock.Events {
				return earful{Events: e, granted: func(lock.Events, lock.Grant) {}}
			}}
		}},
		{name: "calls grants longer than they are", breaks: []string{"LateNews"}, mutant: func() *mutant {
			return &mutant{events: func(e lock.Events) lock.Events {
				return earful{Events: e, granted: func(e lock.Events, g lock.Grant) {
					g.TTL += time.Minute
					e.Granted(g)
				}}
			}}
		}},
		{name: "does not say that others wait", breaks: []string{"TurnsPass"}, mutant: func() *mutant {
			return &mutant{events: func(e lock.Events) lock.Events {
				return earful{Events: e, contended: func(lock.Events, string) {}}
			}}
		}},
		{name: "keeps the place of who has left", breaks: []string{"WaitEnds"}, mutant: func() *mutant {
			return &mutant{release: func(m *mutant, ctx context.Context, c lock.Claim) (bool, error) {
				if info, err := m.Backend.Inspect(ctx, c.Name); err != nil || info.Owner != c.Token {
					return false, err
				}
				return m.Backend.Release(ctx, c)
			}}
		}},
		{name: "hands on to the dead", breaks: []string{"DeadWaiterSkipped"}, mutant: func() *mutant {
			return &mutant{close: func(*mutant, context.Context) error { return nil }}
		}},
		{name: "says that a release released nothing", breaks: []string{"ReleaseOnce"}, mutant: func() *mutant {
			return &mutant{release: func(m *mutant, ctx context.Context, c lock.Claim) (bool, error) {
				_, err := m.Backend.Release(ctx, c)
				return false, err
			}}
		}},
		{name: "does not release", breaks: []string{"ReleaseAfterCancel", "CloseGivesBack", "Do", "DoPanic", "AcquireAll"}, mutant: func() *mutant {
			return &mutant{release: func(*mutant, context.Context, lock.Claim) (bool, error) { return true, nil }}
		}},
		{name: "releases for any token", breaks: []string{"ForeignRelease"}, mutant: func() *mutant {
			return &mutant{release: func(m *mutant, ctx context.Context, c lock.Claim) (bool, error) {
				if info, err := m.Backend.Inspect(ctx, c.Name); err == nil && info.Held {
					c.Token = info.Owner
				}
				return m.Backend.Release(ctx, c)
			}}
		}},
		{name: "expires late", breaks: []string{"Expires", "SemaphoreExpires"}, mutant: func() *mutant {
			return &mutant{acquire: func(m *mutant, ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
				c.TTL += time.Hour
				return m.Backend.Acquire(ctx, c, wait)
			}}
		}},
		{name: "expires early", breaks: []string{"ToldBeforeGrant"}, mutant: func() *mutant {
			return &mutant{acquire: func(m *mutant, ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
				c.TTL /= 3
				return m.Backend.Acquire(ctx, c, wait)
			}}
		}},
		{name: "extends without looking", breaks: []string{"Renewed", "LossNoticed", "HandedOverWhole"}, mutant: func() *mutant {
			return &mutant{extend: func(*mutant, context.Context, lock.Claim) (lock.Reply, error) {
				return lock.Reply{State: lock.Granted}, nil
			}}
		}},
		{name: "extends by granting again", breaks: []string{"ExtendNeverShortens", "LossNoticed"}, mutant: func() *mutant {
			return &mutant{extend: func(m *mutant, ctx context.Context, c lock.Claim) (lock.Reply, error) {
				if _, err := m.Backend.Release(ctx, c); err != nil {
					return lock.Reply{}, err
				}
				return m.Backend.Acquire(ctx, c, false)
			}}
		}},
		{name: "serves a process once", breaks: []string{"WaitersAfterLoss"}, mutant: func() *mutant {
			first := ""
			return &mutant{acquire: func(m *mutant, ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
				if first == "" {
					first = c.Token
				}
				if c.Token != first {
					return lock.Reply{State: lock.Held, Poll: time.Second}, nil
				}
				return m.Backend.Acquire(ctx, c, wait)
			}}
		}},
		{name: "inspects nothing", breaks: []string{"Inspect"}, mutant: func() *mutant {
			return &mutant{inspect: func(i lock.Info) lock.Info { return lock.Info{Waiters: i.Waiters} }}
		}},
		{name: "lists all but one", breaks: []string{"List"}, mutant: func() *mutant {
			return &mutant{list: func(held []lock.Holding) []lock.Holding { return held[:max(len(held)-1, 0)] }}
		}},
		{name: "grants a retry anew", breaks: []string{"RetryIsOneEffect"}, mutant: func() *mutant {
			return &mutant{acquire: func(m *mutant, ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
				if _, err := m.Backend.Release(ctx, c); err != nil {
					return lock.Reply{}, err
				}
				return m.Backend.Acquire(ctx, c, wait)
			}}
		}},
		{name: "queues a retry twice", breaks: []string{"QueueOnce"}, mutant: func() *mutant {
			return &mutant{acquire: func(m *mutant, ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
				r, err := m.Backend.Acquire(ctx, c, wait)
				if err == nil && wait && r.State == lock.Held {
					c.Token = c.Token[:lock.ProcessLen] + strings.Repeat("z", lock.TokenLen-lock.ProcessLen)
					return m.Backend.Acquire(ctx, c, wait)
				}
				return r, err
			}}
		}},
		{name: "has one permit too many", breaks: []string{"Semaphore"}, mutant: func() *mutant {
			return &mutant{acquire: func(m *mutant, ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
				if c.Permits > 0 {
					c.Permits++
				}
				return m.Backend.Acquire(ctx, c, wait)
			}}
		}},
	}
}

// changed is a Locker that changes requests.
type changed struct {
	lock.Locker
	acquire func(l lock.Locker, ctx context.Context, name string, o lock.Request) (*lock.Lease, error)
}

func (c changed) Acquire(ctx context.Context, name string, o lock.Request) (*lock.Lease, error) {
	return c.acquire(c.Locker, ctx, name, o)
}

func wrongLockers() []wrong {
	change := func(f func(l lock.Locker, ctx context.Context, name string, o lock.Request) (*lock.Lease, error)) func(lock.Locker) lock.Locker {
		return func(l lock.Locker) lock.Locker { return changed{l, f} }
	}
	return []wrong{
		{name: "drops the values of ctx", breaks: []string{"ContextValues"}, locker: change(
			func(l lock.Locker, _ context.Context, name string, o lock.Request) (*lock.Lease, error) {
				return l.Acquire(context.Background(), name, o)
			})},
		{name: "ignores MaxHold", breaks: []string{"MaxHold"}, locker: change(
			func(l lock.Locker, ctx context.Context, name string, o lock.Request) (*lock.Lease, error) {
				o.MaxHold = 0
				return l.Acquire(ctx, name, o)
			})},
		{name: "repairs bad options", breaks: []string{"BadInput"}, locker: change(
			func(l lock.Locker, ctx context.Context, name string, o lock.Request) (*lock.Lease, error) {
				o.TTL = max(o.TTL, lock.MinTTL)
				return l.Acquire(ctx, name, o)
			})},
		{name: "tries at random", breaks: []string{"LocalOrder"}, locker: change(
			func(l lock.Locker, ctx context.Context, name string, o lock.Request) (*lock.Lease, error) {
				for {
					lease, err := l.TryAcquire(ctx, name, o)
					if !errors.Is(err, lock.ErrHeld) {
						return lease, err
					}
					time.Sleep(rand.N(10 * time.Millisecond))
				}
			})},
	}
}
