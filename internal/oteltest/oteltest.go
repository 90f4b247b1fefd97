// Package oteltest records telemetry in tests and compares its names and units
// with a file, so that none changes unnoticed: dashboards and alerts know them.
package oteltest

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// Secret is for the names of keys, locks and messages in tests: no metric may have
// it in an attribute.
const Secret = "name-of-something"

// golden is the file of a package's names, and updateVariable has it written anew.
const (
	golden         = "testdata/telemetry.golden"
	updateVariable = "COHORT_TEST_UPDATE"
)

// A Recorder keeps what its providers are given.
type Recorder struct {
	Meters *metric.MeterProvider
	Traces *trace.TracerProvider

	reader *metric.ManualReader
	spans  *tracetest.SpanRecorder
}

// New returns a Recorder that ends with t.
func New(t *testing.T) *Recorder {
	t.Helper()
	r := &Recorder{reader: metric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	r.Meters = metric.NewMeterProvider(metric.WithReader(r.reader))
	r.Traces = trace.NewTracerProvider(trace.WithSpanProcessor(r.spans))
	return r
}

// Metrics returns what was recorded so far, by name.
func (r *Recorder) Metrics(t *testing.T) map[string]metricdata.Metrics {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := r.reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	all := map[string]metricdata.Metrics{}
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			all[m.Name] = m
		}
	}
	return all
}

// Spans returns the spans that have ended.
func (r *Recorder) Spans() []trace.ReadOnlySpan { return r.spans.Ended() }

// Check compares the names and units of all that was recorded with the package's
// file, and looks for [Secret] in the attributes of metrics.
func (r *Recorder) Check(t *testing.T) {
	t.Helper()
	var lines []string
	for name, m := range r.Metrics(t) {
		kind, sets := points(m.Data)
		keys := map[string]bool{}
		for _, set := range sets {
			for _, kv := range set.ToSlice() {
				keys[string(kv.Key)] = true
				if strings.Contains(kv.Value.String(), Secret) {
					t.Errorf("metric %s shows a name in %s", name, kv.Key)
				}
			}
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", kind, name, m.Unit, sorted(keys))))
	}
	for _, s := range r.Spans() {
		keys := map[string]bool{}
		for _, kv := range s.Attributes() {
			keys[string(kv.Key)] = true
		}
		lines = append(lines, fmt.Sprintf("span %q %s %s", s.Name(), s.SpanKind(), sorted(keys)))
	}
	slices.Sort(lines)
	got := strings.Join(slices.Compact(lines), "\n") + "\n"
	if os.Getenv(updateVariable) == "1" {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s has other names (%s=1 writes it anew):\n%s\nnow they are:\n%s", golden, updateVariable, want, got)
	}
}

func sorted(keys map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(keys)), " ")
}

// points returns the kind of an instrument and the attributes of its data.
func points(data metricdata.Aggregation) (kind string, sets []attribute.Set) {
	switch d := data.(type) {
	case metricdata.Histogram[float64]:
		kind = "histogram"
		for _, p := range d.DataPoints {
			sets = append(sets, p.Attributes)
		}
	case metricdata.Sum[int64]:
		kind = "updowncounter"
		if d.IsMonotonic {
			kind = "counter"
		}
		for _, p := range d.DataPoints {
			sets = append(sets, p.Attributes)
		}
	case metricdata.Gauge[int64]:
		kind = "gauge"
		for _, p := range d.DataPoints {
			sets = append(sets, p.Attributes)
		}
	default:
		kind = fmt.Sprintf("%T", data)
	}
	return kind, sets
}
