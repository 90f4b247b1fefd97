package frame

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Report is the whole outcome.
type Report struct {
	Head  Head         `json:"head"`
	Areas []AreaResult `json:"areas"`
}

// JSON writes r as indented JSON.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Markdown writes r as tables for a README.
func (r Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %s, %d cores", r.Head.Go, r.Head.OS, r.Head.CPU, r.Head.Cores)
	if r.Head.Redis != "" {
		fmt.Fprintf(&b, ", Redis %s", r.Head.Redis)
	}
	for _, module := range slices.Sorted(maps.Keys(r.Head.Versions)) {
		fmt.Fprintf(&b, "; %s %s", module, r.Head.Versions[module])
	}
	b.WriteString("\n")
	for _, area := range r.Areas {
		for _, table := range area.Tables {
			table.markdown(&b, area.Area)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Missed names the demanded ratios that were not reached.
func (r Report) Missed() []string {
	var missed []string
	for _, area := range r.Areas {
		for _, table := range area.Tables {
			for _, row := range table.Rows {
				if !row.Met() {
					missed = append(missed, fmt.Sprintf("%s, %s: %s is %s, must be ≥ %s",
						area.Area, table.Name, row.Contender, times(row.Ratio), times(row.Must)))
				}
			}
		}
	}
	return missed
}

func (t TableResult) markdown(b *strings.Builder, area string) {
	metrics := t.metrics()
	fmt.Fprintf(b, "\n%s: %s\n\n| | %s | × Cohort | must |\n|---|%s--:|--:|\n",
		area, t.Name, strings.Join(metrics, " | "), strings.Repeat("--:|", len(metrics)))
	for _, row := range t.Rows {
		fmt.Fprintf(b, "| %s |", row.Contender)
		for _, m := range metrics {
			if v, ok := row.Median[m]; ok {
				fmt.Fprintf(b, " %s |", figure(v))
			} else {
				b.WriteString(" – |")
			}
		}
		must := ""
		if row.Must > 0 {
			must = "≥ " + times(row.Must)
			if !row.Met() {
				must += " **missed**"
			}
		}
		fmt.Fprintf(b, " %s | %s |\n", times(row.Ratio), must)
	}
	if t.Note != "" {
		fmt.Fprintf(b, "\n%s\n", t.Note)
	}
}

// metrics returns the table's columns: the frame's own first.
func (t TableResult) metrics() []string {
	known := []string{timeMetric, p50Metric, p99Metric, allocsMetric, cpuMetric, commandMetric, scriptMetric}
	var columns, others []string
	seen := map[string]bool{}
	for _, row := range t.Rows {
		for name := range row.Median {
			seen[name] = true
		}
	}
	for _, name := range known {
		if seen[name] {
			columns = append(columns, name)
		}
	}
	for name := range seen {
		if !slices.Contains(known, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return append(columns, others...)
}

func times(ratio float64) string { return figure(ratio) + "×" }

// figure writes three digits that matter.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.005 || v == 0:
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
	default:
		return "0"
	}
}
