package workeridotel_test

import (
	"errors"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/cohort-go/cohort/internal/oteltest"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridotel"
)

// TestNumbers has one number held, one given back and one lost.
func TestNumbers(t *testing.T) {
	r := oteltest.New(t)
	hooks, err := workeridotel.New(workeridotel.Options{MeterProvider: r.Meters})
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := workerid.NewMemory(workerid.Options{Hooks: hooks})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		lease, err := numbers.Acquire(t.Context(), workerid.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := lease.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	hooks.Acquired(7, 1)
	hooks.Renewed(7, nil)
	hooks.Renewed(7, errors.New("reset"))
	hooks.Ended(7, workerid.ErrLost)
	r.Check(t)
	for name, want := range map[string]int64{"cohort.workerid.leases": 1, "cohort.workerid.losses": 1} {
		sum, _ := r.Metrics(t)[name].Data.(metricdata.Sum[int64])
		if len(sum.DataPoints) != 1 || sum.DataPoints[0].Value != want {
			t.Errorf("%s is %+v, want %d", name, sum.DataPoints, want)
		}
	}
	if err := numbers.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
