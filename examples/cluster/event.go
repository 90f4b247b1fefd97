package main

import (
	"bufio"
	"encoding/json"
	"io"
	"sync"
)

// An event is one line from a node to the parent, in JSON.
type event struct {
	Holds *int `json:"holds,omitempty"` // the worker number, once it is leased

	Part string          `json:"part,omitempty"`
	Show string          `json:"show,omitempty"` // in the live table
	Done *float64        `json:"done,omitempty"` // part of the work
	Kind string          `json:"kind,omitempty"` // of a report
	Data json.RawMessage `json:"data,omitempty"`
}

// teller returns a function that writes events to out.
func teller(out io.Writer) func(event) {
	var mu sync.Mutex
	lines := json.NewEncoder(out)
	return func(e event) {
		mu.Lock()
		defer mu.Unlock()
		_ = lines.Encode(e) // a parent that is gone ends our input as well
	}
}

// listen calls heard for each event until in ends.
func listen(in io.Reader, heard func(event)) {
	for lines := json.NewDecoder(in); ; {
		var e event
		if err := lines.Decode(&e); err != nil {
			return // the last line of a killed node may be cut off
		}
		heard(e)
	}
}

// inputEnds returns a channel that is closed when in ends: the parent closes it, or
// has ended itself.
func inputEnds(in io.Reader) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, bufio.NewReader(in))
	}()
	return ended
}
