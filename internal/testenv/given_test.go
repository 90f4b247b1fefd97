package testenv_test

import (
	"net"
	"net/url"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestGivenRedis(t *testing.T) {
	s := testenv.Redis(t)
	t.Setenv("COHORT_TEST_REDIS_URL", "redis://"+s.Addr()+"/3")
	for db, c := range []*redis.Client{s.Client(t), s.Client(t, func(o *redis.Options) { o.DB = 3 })} {
		if err := c.Set(t.Context(), "k", db, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	found := false
	testenv.EachRedis(t, func(t *testing.T, c redis.UniversalClient) {
		if c, ok := c.(*redis.Client); ok && c.Options().Addr == s.Addr() {
			found = true
			if c.Exists(t.Context(), "k").Val() != 0 {
				t.Error("its database is not empty")
			}
		}
	})
	if !found {
		t.Error("the given server was left out")
	}
	if s.Client(t).Exists(t.Context(), "k").Val() != 1 {
		t.Error("another database of the given server was emptied")
	}
}

func TestRabbitURL(t *testing.T) {
	first := testenv.RabbitURL(t)
	u, err := url.Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if second := testenv.RabbitURL(t); second != first {
		t.Errorf("another server, %s", second)
	}
	t.Setenv("COHORT_TEST_RABBITMQ_URL", "amqp://there")
	if got := testenv.RabbitURL(t); got != "amqp://there" {
		t.Errorf("got %s, want the given server", got)
	}
}
