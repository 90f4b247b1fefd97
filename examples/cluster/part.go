package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort"
)

// parts lists the areas in the order in which they are shown and judged.
func parts() []Part {
	return []Part{
		idsPart(),
		lockPart(),
		signalPart(),
		cachePart(),
		queuePart(),
	}
}

// A Part is what one area contributes to the show.
type Part struct {
	// Name is a short word.
	Name string
	// Node is the part's work in one node. It returns when that is done, or soon
	// after n.Finish is closed. The node may be killed at any time; its next
	// life calls Node again.
	Node func(ctx context.Context, n *Node) error
	// Ends says that the part has an end, towards which it tells its progress.
	Ends bool
	// Judge runs in the parent when all nodes have ended.
	Judge func(r Record) Verdict
}

// A Node is a running process as one part sees it: a cohort.Node, and what the show
// adds.
type Node struct {
	*cohort.Node

	Name    string // "node-1"
	Life    int    // 1, and one more after each restart
	Nodes   int    // how many there are
	Share   int    // how many IDs all lives of this node make
	Dir     string // a folder that all nodes and the parent share
	Freezes bool   // the parent freezes this node once: see Freeze

	// Database stands for the application's own store; it is the server of REDIS_URL.
	Database redis.UniversalClient

	// Finish is closed when the show is about to end: the killed node has been back
	// for a while, and every part that tells its progress is done.
	Finish <-chan struct{}

	part string
	tell func(event)
}

// freezeKind is the report on which the parent freezes the node that sent it.
const freezeKind = "freeze"

// Freeze has the parent stop this process, as an overloaded machine would, and
// returns once it has stood still for longer than d.
func (n *Node) Freeze(ctx context.Context, d time.Duration) error {
	last := time.Now() // before the parent hears of it: it may be quick
	if err := n.Report(freezeKind, nil); err != nil {
		return err
	}
	for {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		now := time.Now()
		if now.Sub(last) > d {
			return nil
		}
		last = now
	}
}

// file is the path of a file of this life, which outlives a kill.
func (n *Node) file(extension string) string {
	return filepath.Join(n.Dir, fmt.Sprintf("%s-%d.%s", n.Name, n.Life, extension))
}

// Show puts text into the live table.
func (n *Node) Show(text string) { n.tell(event{Part: n.part, Show: text}) }

// Progress puts text into the live table and says how much of the part's work in
// this node is done, from 0 to 1. A node is killed when its parts are half done,
// and the show goes on until they are done on all nodes. A part without an end of
// its own calls Show and waits for Finish.
func (n *Node) Progress(done float64, text string) {
	n.tell(event{Part: n.part, Show: text, Done: &done})
}

// Report tells the parent something that Judge will look at.
func (n *Node) Report(kind string, data any) error {
	raw, err := json.Marshal(data)
	if err == nil {
		n.tell(event{Part: n.part, Kind: kind, Data: raw})
	}
	return err
}

// A Record is what Judge has to go by.
type Record struct {
	Nodes   int
	Dir     string   // as in Node
	Reports []Report // of this part, in the order of their arrival
}

// A Report is what one life of a node told.
type Report struct {
	Node string
	Life int
	Kind string
	Data json.RawMessage
}

// A Verdict says in one line whether a part kept its promise.
type Verdict struct {
	Kept    bool           `json:"kept"`
	Text    string         `json:"text"`
	Figures map[string]any `json:"figures,omitempty"`
}
