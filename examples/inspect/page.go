package main

import (
	"bytes"
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"sync"
	"time"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// page is what the template shows.
type page struct {
	Write     bool
	Live      bool
	Every     int // seconds
	At        string
	Namespace string
	Areas     []areaRow
	Notice    notice

	Queues     []queueCard
	QueuesNote string
	Dead       []deadGroup
	DeadTotal  int
	DeadNote   string
	Locks      part[lockRow]
	Workers    part[workerRow]
	Held       int
	Streams    part[busRow]
	Cache      part[cacheRow]
}

// areaRow says where an area keeps its state.
type areaRow struct{ Name, Where string }

// queueCard is one queue with its plot.
type queueCard struct {
	queueRow

	In, Out float64 // per second
	Plot    plot
}

// deadGroup is the dead letters of one queue.
type deadGroup struct {
	Queue string
	Total int
	Rows  []deadRow
}

// part is a table, or why there is none.
type part[T any] struct {
	Note string
	Rows []T
}

func partOf[T any](t table[T], err error) part[T] {
	if err != nil {
		return part[T]{Note: explain(err)}
	}
	return part[T]{Note: t.Note, Rows: t.Rows}
}

// refreshEvery is how often a live page asks again, in seconds.
const refreshEvery = 5

func (s *server) page(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), glance)
	defer cancel()
	p := s.look(ctx)
	p.Live = r.URL.Query().Has("live")
	p.Notice = s.notices.get(r.URL.Query().Get("notice"))
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, p); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(out.Bytes())
}

// look reads everything, all areas at the same time.
func (s *server) look(ctx context.Context) page {
	c := s.src.node.Config()
	p := page{
		Write: s.opts.write, Every: refreshEvery, At: time.Now().UTC().Format("2006-01-02 15:04:05 UTC"),
		Namespace: c.Namespace, QueuesNote: unseen(c.Queue),
		Areas: []areaRow{
			{"Queues", where(c.Queue)}, {"Locks", where(c.Lock)}, {"Worker numbers", where(c.Worker)},
			{"Signals", where(c.PubSub)}, {"Cache", where(c.Cache)},
		},
	}
	if p.Namespace == "" {
		p.Namespace = "cohort"
	}
	var areas sync.WaitGroup
	areas.Go(func() { p.Locks = s.locks.get(locksAge, func() (table[lockRow], error) { return s.src.locks(ctx) }) })
	areas.Go(func() { p.Workers = partOf(s.src.workers(ctx)) })
	areas.Go(func() { p.Streams = partOf(s.src.streams(ctx)) })
	areas.Go(func() { p.Cache = s.cache.get(cacheAge, func() (table[cacheRow], error) { return s.src.cache(ctx) }) })
	areas.Go(func() { s.lookAtQueues(ctx, &p) })
	areas.Wait()
	for _, w := range p.Workers.Rows {
		if w.Held {
			p.Held++
		}
	}
	return p
}

func (s *server) lookAtQueues(ctx context.Context, p *page) {
	if p.QueuesNote != "" {
		return
	}
	tracks, err := s.history.list()
	p.QueuesNote = explain(err)
	for _, t := range tracks {
		p.Queues = append(p.Queues, queueCard{queueRow: t.row, In: t.rates.Enqueued, Out: t.rates.Done, Plot: newPlot(t)})
		if t.row.Dead == 0 {
			continue
		}
		rows, _, err := s.src.deadOf(ctx, t.row.Name)
		if err != nil {
			p.DeadNote = t.row.Name + ": " + explain(err)
			continue
		}
		if len(rows) > 0 {
			p.DeadTotal += t.row.Dead
			p.Dead = append(p.Dead, deadGroup{t.row.Name, t.row.Dead, rows})
		}
	}
}
