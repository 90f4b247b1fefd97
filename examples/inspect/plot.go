package main

import (
	"fmt"
	"strings"
)

// The size of a plot, in its own units, and the fewest samples that it has room
// for.
const (
	plotWidth  = 300
	plotHeight = 64
	minSlots   = 16
)

// plot is one queue over time as paths of SVG: messages that are to be done as an
// area, those in flight and dead as lines.
type plot struct {
	Top                          int // the value at the upper edge
	Span                         span
	Area, Ready, InFlight, Dying string
	Label                        string
}

func newPlot(t track) plot {
	p := plot{Top: 1}
	var ready, inFlight, dead []int
	for _, s := range t.samples {
		ready, inFlight, dead = append(ready, s.ready), append(inFlight, s.inFlight), append(dead, s.dead)
		p.Top = max(p.Top, s.ready, s.inFlight, s.dead)
	}
	p.Top = nice(p.Top)
	slots := max(len(t.samples), minSlots)
	p.Span = span(slots-1) * span(sampleEvery)
	p.Ready, p.InFlight, p.Dying = path(ready, p.Top), path(inFlight, p.Top), path(dead, p.Top)
	if len(ready) > 1 {
		p.Area = fmt.Sprintf("%sL%d,%dL%.1f,%dZ", p.Ready, plotWidth, plotHeight, x(0, len(ready)), plotHeight)
	}
	p.Label = fmt.Sprintf("%s over the last %v: %d to do, %d in flight, %d dead now; the upper edge is %d",
		t.row.Name, p.Span, t.row.Ready+t.row.Waiting+t.row.Delayed, t.row.InFlight, t.row.Dead, p.Top)
	return p
}

// nice rounds up to 1, 2 or 5 times a power of ten.
func nice(n int) int {
	for unit := 1; ; unit *= 10 {
		for _, step := range []int{1, 2, 5} {
			if step*unit >= n {
				return step * unit
			}
		}
	}
}

// x is where sample i of n stands; the newest is at the right edge.
func x(i, n int) float64 {
	return plotWidth - float64(n-1-i)*plotWidth/float64(max(n, minSlots)-1)
}

func path(values []int, top int) string {
	if len(values) < 2 {
		return ""
	}
	var b strings.Builder
	for i, v := range values {
		step := 'L'
		if i == 0 {
			step = 'M'
		}
		// A pixel is left above and below, so that a line at the edge is seen.
		y := 1 + (plotHeight-2)*(1-float64(v)/float64(top))
		fmt.Fprintf(&b, "%c%.1f,%.1f", step, x(i, len(values)), y)
	}
	return b.String()
}
