package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// get asks for a report.
func get(t *testing.T, h http.Handler, path string) (code int, shown map[string]string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &shown); err != nil {
			t.Fatal(err)
		}
	}
	return w.Code, shown
}

func TestReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, err := queue.NewMemory("reports", queue.MemoryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close(context.Background())
		h := handler(q)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/reports", nil))
		path := w.Header().Get("Location")
		if w.Code != http.StatusAccepted || path == "" {
			t.Fatalf("got %d, %q", w.Code, path)
		}
		if _, shown := get(t, h, path); shown["state"] != "ready" {
			t.Errorf("before a worker is there: %v", shown)
		}
		if _, err := q.Consume(t.Context(), write, queue.ConsumeOptions{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1600 * time.Millisecond)
		if _, shown := get(t, h, path); shown["state"] != "in flight" || shown["progress"] != "50 %" {
			t.Errorf("half way: %v", shown)
		}
		time.Sleep(2 * time.Second)
		if _, shown := get(t, h, path); shown["state"] != "finished" || shown["result"] != "all is well" {
			t.Errorf("at the end: %v", shown)
		}
		time.Sleep(time.Hour)
		for _, gone := range []string{path, "/reports/x", "/reports/" + queue.NewID().String()} {
			if code, _ := get(t, h, gone); code != http.StatusNotFound {
				t.Errorf("%s: %d", gone, code)
			}
		}
	})
}
