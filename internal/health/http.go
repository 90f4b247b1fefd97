package health

import (
	"encoding/json"
	"net/http"
)

// Handler serves the two probes below its root:
//
//	/livez   200 while the process answers, whatever it depends on
//	/readyz  200 if requests should come (ok or degraded), else 503
//
// Both answer with the [Report] as JSON (livez with its status alone).
func (m *Monitor) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /livez", http.HandlerFunc(m.livez))
	mux.Handle("GET /readyz", http.HandlerFunc(m.readyz))
	return mux
}

func (m *Monitor) livez(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, Report{Status: OK})
}

func (m *Monitor) readyz(w http.ResponseWriter, _ *http.Request) {
	r := m.Report()
	code := http.StatusOK
	if !r.Ready() {
		code = http.StatusServiceUnavailable
	}
	answer(w, code, r)
}

func answer(w http.ResponseWriter, code int, r Report) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(r) // an error means that the prober has gone
}
