package health_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/internal/health"
)

var errDown = errors.New("redis://user:s3cr3t@host is down")

func get(t *testing.T, m *health.Monitor, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// TestReadiness walks through the life of a node with one shared and one
// critical dependency.
func TestReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared, own, lease atomic.Bool
		probe := func(up *atomic.Bool) func(context.Context) error {
			return func(context.Context) error {
				if up.Load() {
					return nil
				}
				return errDown
			}
		}
		m := health.New(
			health.Check{Name: "redis", Probe: probe(&shared)},
			health.Check{Name: "disk", Critical: true, Probe: probe(&own)},
			health.Check{Name: "lease", Critical: true, Local: true, Probe: probe(&lease)},
		)
		ctx, stop := context.WithCancel(t.Context())
		defer func() { stop(); synctest.Wait() }()
		go m.Run(ctx)

		expect := func(code int, status health.Status) {
			t.Helper()
			got, body := get(t, m, "/readyz")
			if got != code || !strings.Contains(body, `{"status":"`+string(status)+`"`) {
				t.Errorf("readyz is %d %s, want %d %s", got, body, code, status)
			}
			if strings.Contains(body, "s3cr3t") {
				t.Errorf("the body shows an error's text: %s", body)
			}
			if got, _ := get(t, m, "/livez"); got != http.StatusOK {
				t.Errorf("livez is %d", got)
			}
		}
		set := func(sharedUp, ownUp bool) {
			shared.Store(sharedUp)
			own.Store(ownUp)
			time.Sleep(health.Interval)
			synctest.Wait()
		}

		lease.Store(true)
		set(true, true)
		expect(http.StatusServiceUnavailable, health.Starting)
		m.Started()
		expect(http.StatusOK, health.OK)
		set(false, true)
		expect(http.StatusOK, health.Degraded)
		set(true, false)
		expect(http.StatusServiceUnavailable, health.Failing)
		set(true, true)
		lease.Store(false) // no time passes: a local check is read at once
		expect(http.StatusServiceUnavailable, health.Failing)
		lease.Store(true)
		expect(http.StatusOK, health.OK)
		m.Drain()
		m.Started() // too late
		expect(http.StatusServiceUnavailable, health.Draining)
	})
}

// TestHangingProbe: a probe that never returns fails after Timeout, is not
// started twice, and keeps neither a reader nor Run waiting.
func TestHangingProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var started atomic.Int32
		unblock := make(chan struct{})
		m := health.New(health.Check{Name: "hung", Critical: true, Probe: func(context.Context) error {
			started.Add(1)
			<-unblock
			return nil
		}})
		m.Started()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { m.Run(ctx); close(ended) }()

		time.Sleep(health.Timeout + 10*health.Interval)
		synctest.Wait()
		if r := m.Report(); r.Status != health.Failing || r.Checks["hung"].Status != health.Failing {
			t.Errorf("report is %+v, want failing", r)
		}
		if n := started.Load(); n != 1 {
			t.Errorf("started %d times, want once", n)
		}
		stop()
		<-ended
		close(unblock)
	})
}

func TestSinceIsTheChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := health.New(health.Check{Name: "redis", Probe: func(context.Context) error { return nil }})
		ctx, stop := context.WithCancel(t.Context())
		defer func() { stop(); synctest.Wait() }()
		begin := time.Now()
		go m.Run(ctx)
		time.Sleep(10 * health.Interval)
		synctest.Wait()
		if since := m.Report().Checks["redis"].Since; !since.Equal(begin) {
			t.Errorf("since is %v after the first result, want it unchanged", since.Sub(begin))
		}
	})
}
