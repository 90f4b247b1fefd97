package lockotel_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/cohort-go/cohort/internal/oteltest"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockotel"
)

// TestLease has one lease given back and one lost.
func TestLease(t *testing.T) {
	r := oteltest.New(t)
	hooks, err := lockotel.New(lockotel.Options{MeterProvider: r.Meters, TracerProvider: r.Traces})
	if err != nil {
		t.Fatal(err)
	}
	locker, err := lock.NewMemory(lock.Options{Hooks: hooks})
	if err != nil {
		t.Fatal(err)
	}
	err = lock.Do(t.Context(), locker, oteltest.Secret, lock.Request{}, func(context.Context, *lock.Lease) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	lost, err := locker.TryAcquire(t.Context(), oteltest.Secret, lock.Request{TTL: lock.MinTTLNoRenew, NoRenew: true})
	if err != nil {
		t.Fatal(err)
	}
	<-lost.Context().Done()
	if err := locker.Close(t.Context()); err != nil {
		t.Error(err)
	}
	hooks.RenewFailed(oteltest.Secret, fmt.Errorf("%w: %s", errors.New("reset"), oteltest.Secret))
	r.Check(t)
	held, _ := r.Metrics(t)["cohort.lock.hold.duration"].Data.(metricdata.Histogram[float64])
	if len(held.DataPoints) != 2 {
		t.Errorf("ends of leases: %+v, want one released and one lost", held.DataPoints)
	}
}
