package cohort_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cohort-go/cohort"
)

// env returns a getenv of pairs NAME, value.
func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return m[name] }
}

// fiveDatabases is the set-up of the reference's documentation.
func fiveDatabases(redis string) []string {
	return []string{
		"CACHE_DEFAULT_STORE", "redis", "CACHE_REDIS_URL", redis + "/0",
		"PUBSUB_ADAPTER_REDIS_URL", redis + "/1",
		"LOCK_ADAPTER_DEFAULT", "redis", "LOCK_ADAPTER_REDIS_URL", redis + "/2",
		"QUEUE_ADAPTER", "redis", "QUEUE_ADAPTER_REDIS_URL", redis + "/3",
		"REDIS_URL", redis + "/4",
	}
}

func TestFromEnvAdapters(t *testing.T) {
	const h = "redis://h:6379"
	tests := []struct {
		name                                 string
		env                                  []string
		worker, cache, pubsub, locker, queue string
	}{
		{"nothing", nil, "memory", "memory", "memory", "memory", "memory"},
		{"blank is unset", []string{"REDIS_URL", "  "}, "memory", "memory", "memory", "memory", "memory"},
		{
			"REDIS_URL alone",
			[]string{"REDIS_URL", h + "/4"},
			"redis redis://h:6379/4", "memory", "redis redis://h:6379/4", "memory", "memory",
		},
		{
			"five databases", fiveDatabases(h),
			"redis redis://h:6379/4", "redis redis://h:6379/0", "redis redis://h:6379/1",
			"redis redis://h:6379/2", "redis redis://h:6379/3",
		},
		{
			"defaults of URLs",
			[]string{"PUBSUB_ADAPTER", "redis", "LOCK_ADAPTER_DEFAULT", "redis", "QUEUE_ADAPTER", "rabbitmq"},
			"memory", "memory", "redis redis://localhost:6379/0", "redis redis://localhost:6379/0",
			"rabbitmq amqp://localhost:5672/",
		},
		{
			"memory in spite of REDIS_URL",
			[]string{"REDIS_URL", h, "PUBSUB_ADAPTER", "memory", "LOCK_ADAPTER_DEFAULT", "local"},
			"redis redis://h:6379/0", "memory", "memory", "memory", "memory",
		},
		{
			"shared RabbitMQ variable",
			[]string{"QUEUE_ADAPTER", "rabbitmq", "RABBITMQ_URL", "amqps://u:p@r/v"},
			"memory", "memory", "memory", "memory", "rabbitmq amqps://r:5671/v",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := cohort.FromEnv(env(tt.env...))
			if err != nil {
				t.Fatal(err)
			}
			for area, got := range map[string][2]string{
				"worker": {c.Worker.String(), tt.worker}, "cache": {c.Cache.String(), tt.cache},
				"pubsub": {c.PubSub.String(), tt.pubsub}, "lock": {c.Lock.String(), tt.locker},
				"queue": {c.Queue.String(), tt.queue},
			} {
				if got[0] != got[1] {
					t.Errorf("%s is on %q, want %q", area, got[0], got[1])
				}
			}
		})
	}
}

func TestFromEnvRefuses(t *testing.T) {
	tests := []struct {
		name string
		env  []string
		want []string // parts of the error
	}{
		{
			"three broken variables",
			[]string{"REDIS_URL", "redis:host:6379", "WORKER_ID_MAX", "many", "QUEUE_ADAPTER", "kafka"},
			[]string{"REDIS_URL: ", "WORKER_ID_MAX: ", "QUEUE_ADAPTER: must be one of memory, redis, rabbitmq"},
		},
		{
			"a cluster in memory",
			[]string{"CLUSTER_MODE", "4", "PUBSUB_ADAPTER", "memory"},
			[]string{"REDIS_URL: ", "CACHE_DEFAULT_STORE: ", "PUBSUB_ADAPTER: ", "LOCK_ADAPTER_DEFAULT: ", "QUEUE_ADAPTER: "},
		},
		{
			"a cluster with one area left in memory",
			append(fiveDatabases("redis://h"), "CLUSTER_MODE", "max", "QUEUE_ADAPTER", "memory"),
			[]string{"QUEUE_ADAPTER: must be redis or rabbitmq"},
		},
		{"no processes", []string{"CLUSTER_MODE", "0"}, []string{"CLUSTER_MODE: must be max or a number"}},
		{"cache without a URL", []string{"CACHE_DEFAULT_STORE", "redis"}, []string{"CACHE_REDIS_URL: must be set, or REDIS_URL"}},
		{"range upside down", []string{"WORKER_ID_MIN", "9", "WORKER_ID_MAX", "3"}, []string{"WORKER_ID_MIN: must not be above WORKER_ID_MAX"}},
		{"namespace", []string{"CLUSTER_NAMESPACE", "a:b"}, []string{"CLUSTER_NAMESPACE: "}},
		{"worker mode", []string{"WORKER_MODE", "-,a"}, []string{"WORKER_MODE: has - (serve nothing) beside other entries"}},
		{"no cache", []string{"CACHE_MEMORY_MAX", "0"}, []string{"CACHE_MEMORY_MAX: must be a whole number from 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := cohort.FromEnv(env(tt.env...))
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
			if got := strings.Count(err.Error(), "\n") + 1; got != len(tt.want) {
				t.Errorf("%d problems in %q, want %d", got, err, len(tt.want))
			}
		})
	}
}

// TestVariablesAreThoseThatAreRead compares the table with what FromEnv asks
// for, and with the README.
func TestVariablesAreThoseThatAreRead(t *testing.T) {
	asked := map[string]bool{}
	record := func(pairs ...string) {
		get := env(pairs...)
		_, _ = cohort.FromEnv(func(name string) string { asked[name] = true; return get(name) })
	}
	record(append(fiveDatabases("redis://h"), "CLUSTER_MODE", "2")...)
	record("QUEUE_ADAPTER", "rabbitmq")

	var table strings.Builder
	for _, v := range cohort.Variables() {
		if !asked[v.Name] {
			t.Errorf("%s is in the table and is never read", v.Name)
		}
		delete(asked, v.Name)
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", v.Name, v.Unset, v.Meaning)
	}
	for name := range asked {
		t.Errorf("%s is read and is not in the table", name)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), table.String()) {
		t.Errorf("README.md lacks this table of variables:\n%s", table.String())
	}
}
