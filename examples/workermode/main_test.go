package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/internal/testenv"
)

// TestMain lets the test binary be a node.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		if err := node(context.Background(), os.Args[1:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	testenv.Main(m, nil)
}

// page takes what several processes print.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

// TestParent: the node that serves requests works on no job, both workers do, and
// all jobs are done.
func TestParent(t *testing.T) {
	t.Run("redis", play)
	t.Run("rabbitmq", func(t *testing.T) {
		t.Setenv("QUEUE_ADAPTER", cohort.RabbitMQ)
		t.Setenv("RABBITMQ_URL", testenv.RabbitURL(t))
		play(t)
	})
}

func play(t *testing.T) {
	t.Setenv("REDIS_URL", "")
	var out page
	if err := parent(t.Context(), nil, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out.text)
	}
	text := out.text.String()
	for _, want := range []string{"web +enqueued 60", "worker-1 +did job", "kills worker-1", "worker-2 +did job", "60 done", "every job is done"} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "web       did job") {
		t.Errorf("the node that serves requests worked:\n%s", text)
	}
}
