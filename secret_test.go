package cohort_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/internal/testenv"
)

// secret stands where passwords do; nothing that can be printed may hold it.
const secret = "s3cr3t-marker"

// book is a log in both forms of slog, that may be read while it is written.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *book) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	return slog.New(slog.NewMultiHandler(slog.NewTextHandler(b, options), slog.NewJSONHandler(b, options)))
}

// printed is v in every form that prints.
func printed(v any) string {
	asJSON, err := json.Marshal(v)
	return fmt.Sprintf("%v %+v %#v %s %v", v, v, v, asJSON, err)
}

func hides(t *testing.T, what, text string) {
	t.Helper()
	if i := strings.Index(text, secret); i >= 0 {
		t.Errorf("%s shows the secret: …%q", what, text[max(0, i-60):i+len(secret)])
	}
}

// FuzzSecret puts the marker into whatever text stands in the URLs of all areas.
func FuzzSecret(f *testing.F) {
	for _, seed := range [][2]string{
		{"redis://u:", "@127.0.0.1:1/0"}, {"rediss://:", "@h"}, {"redis:u:", "@h"}, {"redis:/", "@h"},
		{"redis://h?password=", ""}, {"redis://u:", "@h:port"}, {"redis://u:%", "@h"}, {"redis://u:", "@h/-1"},
		{"redis-sentinel://u:", "@h1,h2/0?master_name=m"}, {"redis-cluster://u:", "@h/2"}, {"unix://u:", "@/s"},
		{"amqp://u:", "@h/v"}, {"amqp:/u:", "@h"}, {"amqp://u:", "@h:x/"}, {"amqps://u:", "@h?cacertfile=/"},
		{"", ""}, {"http://", ""}, {" ", "\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		url := before + secret + after
		getenv := func(name string) string {
			switch {
			case strings.HasSuffix(name, "_URL"):
				return url
			case name == "QUEUE_ADAPTER" && strings.HasPrefix(before, "amqp"):
				return cohort.RabbitMQ
			}
			return onRedis("")(name)
		}
		config, err := cohort.FromEnv(getenv)
		hides(t, "Config", printed(config))
		hides(t, "error", printed(err))
		ended, end := context.WithCancel(t.Context())
		end() // nothing is dialled
		var log book
		log.logger().Info("configuration", "config", config, "queue", config.Queue, "error", err)
		_, err = cohort.Open(ended, cohort.Options{Getenv: getenv, Logger: log.logger()})
		if err == nil {
			t.Error("opened")
		}
		hides(t, "error of Open", printed(err))
		hides(t, "log", log.String())
	})
}

// TestSecretOfALiveNode looks at everything that a node with a password prints,
// while its server answers and after it has died.
func TestSecretOfALiveNode(t *testing.T) {
	server := testenv.Redis(t, "--requirepass", secret)
	url := strings.Replace(server.URL(), "redis://", "redis://:"+secret+"@", 1)
	var log book
	n, err := cohort.Open(t.Context(), cohort.Options{Getenv: onRedis(url), Fresh: true, Logger: log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	use(t, n)
	calls := everyCall(t, n)
	look := func() {
		t.Helper()
		_, body, _ := probe(n, "/readyz")
		hides(t, "health body", body)
		hides(t, "report", printed(n.Health().Report()))
		hides(t, "Config", printed(n.Config()))
		hides(t, "node", fmt.Sprintf("%v %+v %#v", n, n, n))
		hides(t, "log", log.String())
	}
	for _, area := range []string{"worker", "pubsub", "lock", "cache", "queue"} {
		if !strings.Contains(log.String(), "msg=area name="+area+" adapter=redis") {
			t.Errorf("no line for %s in\n%s", area, log.String())
		}
	}
	look()
	server.Kill()
	for _, c := range calls {
		ctx, cancel := context.WithTimeout(t.Context(), callBound)
		hides(t, c.name, printed(c.call(ctx)))
		cancel()
	}
	look()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	hides(t, "error of Close", printed(n.Close(ctx)))
	look()
}

// TestSecretThatIsWrong: a refused password is not repeated.
func TestSecretThatIsWrong(t *testing.T) {
	server := testenv.Redis(t, "--requirepass", "another")
	url := strings.Replace(server.URL(), "redis://", "redis://user:"+secret+"@", 1)
	var log book
	_, err := cohort.Open(t.Context(), cohort.Options{Getenv: onRedis(url), Logger: log.logger()})
	if err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("got %v, want WRONGPASS", err)
	}
	hides(t, "error", printed(err))
	hides(t, "log", log.String())
}

// TestMalformedURLs: what would silently mean another server is refused, with its
// variable and a hint.
func TestMalformedURLs(t *testing.T) {
	const rabbit = "QUEUE_ADAPTER_RABBITMQ_URL"
	tests := []struct{ variable, url, hint string }{
		{"REDIS_URL", "redis:host:6379", "slash"},
		{"REDIS_URL", "redis:/0", "slash"},
		{"REDIS_URL", "redis:/redis-0:6379/2", "slash"},
		{"REDIS_URL", "redis:///0", "no host"},
		{"REDIS_URL", "redis://", "no host"},
		{"REDIS_URL", "redis://host/-1", "0 or more"},
		{"REDIS_URL", "redis://host/zero", "0 or more"},
		{"REDIS_URL", "redis://h1,h2/0", "several hosts"},
		{"REDIS_URL", "redis://host?timeout=3", "unknown parameters; known are"},
		{"REDIS_URL", "localhost:6379", "slash"},
		{"REDIS_URL", "http://host", "scheme is none of redis"},
		{"CACHE_REDIS_URL", "redis-cluster://host/1", "only one database"},
		{"PUBSUB_ADAPTER_REDIS_URL", "redis-sentinel://host/0", "no master_name"},
		{"LOCK_ADAPTER_REDIS_URL", "redis://secret@host", "write :password@"},
		{"QUEUE_ADAPTER_REDIS_URL", "redis://user:a/b@host", "%2F"},
		{rabbit, "amqp:/u@h", "slash"},
		{rabbit, "amqp:///vhost", "no host"},
		{rabbit, "redis://host", "neither amqp nor amqps"},
		{"RABBITMQ_URL", "amqp://host?x=1", "1 unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.url, func(t *testing.T) {
			queues := cohort.Redis
			if strings.Contains(tt.variable, "RABBITMQ") {
				queues = cohort.RabbitMQ
			}
			set := []string{"REDIS_URL", "redis://h", "CACHE_DEFAULT_STORE", "redis", "LOCK_ADAPTER_DEFAULT", "redis", "QUEUE_ADAPTER", queues}
			_, err := cohort.FromEnv(env(append(set, tt.variable, tt.url)...))
			if err == nil || !strings.Contains(err.Error(), tt.variable+": ") || !strings.Contains(err.Error(), tt.hint) {
				t.Errorf("got %v, want %s and a hint with %q", err, tt.variable, tt.hint)
			}
		})
	}
}
