package idfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cohort-go/cohort/internal/idfile"
)

func TestCompare(t *testing.T) {
	tests := []struct {
		name  string
		files [][]int64
		want  idfile.Comparison
	}{
		{"none", nil, idfile.Comparison{}},
		{"apart", [][]int64{{1, 4, 9}, {2, 3}, {}}, idfile.Comparison{Files: 3, IDs: 5}},
		{"zero", [][]int64{{0}, {0}}, idfile.Comparison{Files: 2, IDs: 2, Duplicates: 1}},
		{"twice in two files", [][]int64{{1, 4, 9}, {4, 9}}, idfile.Comparison{Files: 2, IDs: 5, Duplicates: 2}},
		{"three times", [][]int64{{5}, {5}, {5}}, idfile.Comparison{Files: 3, IDs: 3, Duplicates: 2}},
		{"twice in one file", [][]int64{{1, 1, 2}}, idfile.Comparison{Files: 1, IDs: 3, Duplicates: 1}},
		{"out of order", [][]int64{{7, 3, 8}}, idfile.Comparison{Files: 1, IDs: 3, Disorders: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for i, ids := range tt.files {
				write(t, filepath.Join(dir, fmt.Sprint(i)), ids)
			}
			got, err := idfile.Compare(filepath.Join(dir, "*"))
			if err != nil || got != tt.want {
				t.Errorf("Compare = %+v, %v, want %+v", got, err, tt.want)
			}
			if n, err := idfile.Count(filepath.Join(dir, "*")); err != nil || n != tt.want.IDs {
				t.Errorf("Count = %d, %v, want %d", n, err, tt.want.IDs)
			}
		})
	}
}

// write makes a file that ends in the middle of an ID, as after a kill.
func write(t *testing.T, path string, ids []int64) {
	t.Helper()
	f, err := idfile.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if err := idfile.Write(f, []int64{id}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(data, "cut"...), 0o600); err != nil {
		t.Fatal(err)
	}
}
