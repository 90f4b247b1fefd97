package main

import (
	"fmt"
	"time"

	"github.com/cohort-go/cohort/snowflake"
)

// parseLayout reads the name of a layout or its bits.
func parseLayout(name string) (snowflake.Layout, error) {
	switch name {
	case "compat53":
		return snowflake.Compat53(), nil
	case "wide63":
		return snowflake.Wide63(), nil
	}
	layout := snowflake.Layout{Epoch: snowflake.Wide63().Epoch, Tick: time.Millisecond}
	var rest string
	n, _ := fmt.Sscanf(name+" ", "%d/%d/%d%s", &layout.TimeBits, &layout.WorkerBits, &layout.SequenceBits, &rest)
	if n != 3 {
		return layout, fmt.Errorf("layout %q is neither compat53, wide63, nor three numbers of bits such as 41/10/12", name)
	}
	if err := layout.Validate(); err != nil {
		return layout, fmt.Errorf("layout %s: %w", name, err)
	}
	return layout, nil
}

// limit returns how many IDs a second one worker can make for good.
func limit(l snowflake.Layout) float64 {
	return float64(uint64(1)<<l.SequenceBits) / l.Tick.Seconds()
}
