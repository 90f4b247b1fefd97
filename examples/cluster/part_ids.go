package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/cohort-go/cohort/internal/idfile"
	"github.com/cohort-go/cohort/snowflake"
)

// idsPart makes unique IDs on all nodes, writes each of them down, and at the end
// compares all with all.
func idsPart() Part {
	return Part{Name: "ids", Node: makeIDs, Ends: true, Judge: judgeIDs}
}

// makeIDs writes the node's share, less what its earlier lives have made, to a file
// of this life. What was written outlives a kill, and counts as given out.
func makeIDs(ctx context.Context, n *Node) (err error) {
	made, err := idfile.Count(filepath.Join(n.Dir, n.Name+"-*.ids"))
	if err != nil {
		return err
	}
	file, err := idfile.Create(n.file("ids"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()

	row := make([]snowflake.ID, 512)
	meter := newMeter(made)
	for made < n.Share {
		row = row[:min(len(row), n.Share-made)]
		if err := n.IDs().Fill(ctx, row); err != nil {
			return err
		}
		if err := idfile.Write(file, row); err != nil {
			return err
		}
		made += len(row)
		if rate, due := meter.rate(made); due {
			n.Progress(float64(made)/float64(n.Share), fmt.Sprintf("%s IDs, %s/s", grouped(made), grouped(rate)))
		}
	}
	n.Progress(1, grouped(made)+" IDs, all")
	return nil
}

func judgeIDs(r Record) Verdict {
	c, err := idfile.Compare(filepath.Join(r.Dir, "*.ids"))
	if err != nil {
		return Verdict{Text: err.Error()}
	}
	return Verdict{
		Kept: c.IDs > 0 && c.Duplicates == 0 && c.Disorders == 0,
		Text: fmt.Sprintf("%s IDs of %d processes, duplicates: %d, out of order: %d",
			grouped(c.IDs), c.Files, c.Duplicates, c.Disorders),
		Figures: map[string]any{"ids": c.IDs, "processes": c.Files, "duplicates": c.Duplicates, "disorders": c.Disorders},
	}
}

// meter tells the rate of making, ten times a second.
type meter struct {
	at   time.Time
	made int
}

func newMeter(made int) *meter { return &meter{time.Now(), made} }

func (m *meter) rate(made int) (perSecond int, due bool) {
	elapsed := time.Since(m.at)
	if elapsed < 100*time.Millisecond {
		return 0, false
	}
	perSecond = int(float64(made-m.made) / elapsed.Seconds())
	m.at, m.made = time.Now(), made
	return perSecond, true
}
