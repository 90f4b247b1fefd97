package chaos

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// errStale reports that the ledger has seen a later fence.
var errStale = errors.New("stale fence")

// A ledger is a store that checks fences: one number that holders of a lock read and
// then write.
type ledger struct {
	*httptest.Server

	mu     sync.Mutex
	value  int
	fence  uint64
	token  string
	holder string // node that read last
	writes int    // accepted
	stale  int    // refused
	twice  int    // fences that two grants had
}

func newLedger(t testing.TB) *ledger {
	l := &ledger{}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

// entry is what goes between a holder and the ledger.
type entry struct {
	Fence uint64
	Token string // of the holder that reads; "" writes
	Node  string
	Value int
}

// ServeHTTP serves both.
func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var e entry
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case e.Fence < l.fence:
		l.stale++
		w.WriteHeader(http.StatusConflict)
		return
	case e.Token == "":
		l.writes++
		l.value = e.Value
	case e.Fence == l.fence && e.Token != l.token:
		l.twice++
	default:
		l.fence, l.token, l.holder = e.Fence, e.Token, e.Node
	}
	_ = json.NewEncoder(w).Encode(entry{Value: l.value})
}

// holding is the node that read last.
func (l *ledger) holding() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holder
}

func (l *ledger) sums() (value, writes, stale, twice int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value, l.writes, l.stale, l.twice
}

// ledgerClient is a ledger as a holder sees it.
type ledgerClient struct {
	url  string
	node string
	http *http.Client
}

func ledgerAt(url, node string) ledgerClient {
	return ledgerClient{url, node, &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}}
}

// open reads the number and shuts out earlier fences.
func (c ledgerClient) open(fence uint64, token string) (int, error) {
	return c.send(entry{Fence: fence, Token: token, Node: c.node})
}

func (c ledgerClient) write(fence uint64, value int) error {
	_, err := c.send(entry{Fence: fence, Value: value})
	return err
}

func (c ledgerClient) send(e entry) (int, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return 0, err
	}
	resp, err := c.http.Post(c.url, "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusConflict {
		return 0, errStale
	}
	var answer entry
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return answer.Value, err
}
