package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// report writes results as a table or as JSON.
func report(out io.Writer, results []result, asJSON bool) error {
	if asJSON {
		lines := json.NewEncoder(out)
		lines.SetIndent("", "  ")
		return lines.Encode(results)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "layout\tgoroutines\tbatch\tmillion IDs/s\tof the layout's\tns/ID\tallocs/ID\twaits\t")
	for _, r := range results {
		fmt.Fprintf(table, "%s\t%d\t%d\t%.3f\t%.0f %%\t%.2f\t%.2f\t%d\t\n", r.Layout, r.Goroutines, r.Batch,
			r.PerSecond/1e6, 100*r.PerSecond/r.Limit, r.Nanoseconds, r.Allocations, r.Waits)
	}
	return table.Flush()
}
