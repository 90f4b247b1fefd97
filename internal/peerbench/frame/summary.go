package frame

import (
	"maps"
	"slices"
)

// AreaResult is the outcome of an Area.
type AreaResult struct {
	Area   string        `json:"area"`
	Tables []TableResult `json:"tables"`
}

// TableResult is the outcome of a Table.
type TableResult struct {
	Name string      `json:"name"`
	Note string      `json:"note,omitempty"`
	Rows []RowResult `json:"rows"`
}

// RowResult is the outcome of a Contender.
type RowResult struct {
	Contender  string             `json:"contender"`
	Operations int                `json:"operations"` // in a round
	Median     map[string]float64 `json:"median"`     // by metric
	Low        float64            `json:"low"`        // of the compared metric
	High       float64            `json:"high"`
	Ratio      float64            `json:"ratio"` // to Cohort, of the compared metric
	Must       float64            `json:"must,omitempty"`
}

// Met reports whether the demanded ratio, if any, is reached.
func (r RowResult) Met() bool { return r.Ratio >= r.Must }

func summarize(table Table, contenders []*running) TableResult {
	result := TableResult{Name: table.Name, Note: table.Note}
	compare := table.Compare
	if compare == "" {
		compare = timeMetric
	}
	ours := column(contenders[0], compare)
	for _, c := range contenders {
		row := RowResult{Contender: c.Name, Operations: c.Operations, Must: c.Must, Median: map[string]float64{}}
		for _, metric := range metricsOf(c) {
			row.Median[metric] = median(column(c, metric))
		}
		if figures := column(c, compare); len(figures) > 0 {
			row.Low, row.High = slices.Min(figures), slices.Max(figures)
			row.Ratio = median(ratios(figures, ours))
		}
		result.Rows = append(result.Rows, row)
	}
	return result
}

// metricsOf returns the names of all that c's rounds measured.
func metricsOf(c *running) []string {
	names := map[string]bool{}
	for _, round := range c.rounds {
		for name := range round {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// column returns one metric of all rounds that have it.
func column(c *running, metric string) []float64 {
	var figures []float64
	for _, round := range c.rounds {
		if v, ok := round[metric]; ok {
			figures = append(figures, v)
		}
	}
	return figures
}

// ratios divides round by round.
func ratios(theirs, ours []float64) []float64 {
	var r []float64
	for i := range min(len(theirs), len(ours)) {
		if ours[i] > 0 {
			r = append(r, theirs[i]/ours[i])
		}
	}
	return r
}

func median(figures []float64) float64 {
	if len(figures) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(figures))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
