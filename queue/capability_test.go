package queue_test

import (
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuerabbit"
	"github.com/cohort-go/cohort/queue/queueredis"
	"github.com/cohort-go/cohort/queue/queuetest"
)

// TestReadmeTable compares what README says about the backends with what they say
// about themselves.
func TestReadmeTable(t *testing.T) {
	memory, err := queue.NewMemoryStore(queue.MemoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{})
	defer client.Close()
	remote, err := queueredis.NewBackend(client, "q", queueredis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := queuerabbit.NewConn(queuerabbit.ConnOptions{}, "amqp://127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	broker, err := queuerabbit.NewBackend(conn, "q", queuerabbit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	table := queuetest.Table(
		queuetest.Column{Name: "memory", Capabilities: memory.Capabilities()},
		queuetest.Column{Name: "Redis", Capabilities: remote.Capabilities()},
		queuetest.Column{Name: "RabbitMQ", Capabilities: broker.Capabilities()},
	)
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "\n"+table+"\n") {
		t.Errorf("README lacks this table:\n%s", table)
	}
}
