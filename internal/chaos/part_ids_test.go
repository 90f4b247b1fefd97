package chaos

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/cohort-go/cohort/internal/idfile"
	"github.com/cohort-go/cohort/snowflake"
)

// makeIDs makes IDs and keeps all of them.
func makeIDs(ctx context.Context, l *life, j *journal, quiet func()) {
	defer quiet()
	f, err := idfile.Create(filepath.Join(l.dir, fmt.Sprintf("%s-%d.ids", l.name, l.count)))
	if err != nil {
		j.failed(err)
		return
	}
	defer f.Close()
	ids := make([]snowflake.ID, 256)
	l.until(ctx, time.Millisecond, func(ctx context.Context) {
		err := l.node.IDs().Fill(ctx, ids)
		if err == nil {
			err = idfile.Write(f, ids)
		}
		if err != nil {
			j.failed(err)
		}
	})
}

// judgeIDs counts IDs that exist twice.
func judgeIDs(c *course) {
	got, err := idfile.Compare(filepath.Join(c.dir, "*.ids"))
	if err != nil {
		c.Fatal(err)
	}
	c.figure("%d IDs of %d processes, %d twice", got.IDs, got.Files, got.Duplicates)
	if got.Duplicates > 0 || got.Disorders > 0 || got.IDs == 0 {
		c.Errorf("ids: %+v", got)
	}
}
