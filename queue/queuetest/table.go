package queuetest

import (
	"fmt"
	"strings"

	"github.com/cohort-go/cohort/queue"
)

// Column is a backend in the table of abilities.
type Column struct {
	Name string
	queue.Capabilities
}

// Table returns what backends can do, in Markdown.
func Table(columns ...Column) string {
	var b strings.Builder
	row := func(name string, cell func(c Column) string) {
		b.WriteString("| " + name + " |")
		for _, c := range columns {
			b.WriteString(" " + cell(c) + " |")
		}
		b.WriteByte('\n')
	}
	row("ability", func(c Column) string { return c.Name })
	b.WriteString("|---|" + strings.Repeat(":-:|", len(columns)) + "\n")
	for _, ability := range queue.CanAll.Each() {
		row(ability.String(), func(c Column) string {
			if c.Can.Has(ability) {
				return "✓"
			}
			return "–"
		})
	}
	row("levels of priority", func(c Column) string { return fmt.Sprint(c.Levels) })
	row("delays are rounded up to", func(c Column) string {
		if c.Grain == 0 {
			return "–"
		}
		return c.Grain.String()
	})
	return b.String()
}
