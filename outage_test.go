package cohort_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/snowflake"
)

// TestNewNumberAfterOutage: a node that was cut off for so long that another took
// its number learns it when the server is back, is unready until it has another
// number, and then goes on by itself. No ID of any node occurs twice.
func TestNewNumberAfterOutage(t *testing.T) {
	server := testenv.Redis(t)
	cut, proxy := behind(t, server, "WORKER_ID_MAX", "1") // two numbers for three nodes
	second, err := openDirect(t, server)
	if err != nil {
		t.Fatal(err)
	}
	made := ids{}
	made.take(t, cut)
	made.take(t, second)
	before := cut.Worker()

	proxy.Hole(testenv.Both)
	if !testenv.Long() {
		age(t, server.Client(t), before.ID())
	}
	var third *cohort.Node
	eventuallyWithin(t, time.Minute, "a third node has the number of the one that is cut off", func() bool {
		third, err = openDirect(t, server)
		return err == nil
	})
	if third.Worker().ID() != before.ID() {
		t.Fatalf("the third node has number %d, want %d", third.Worker().ID(), before.ID())
	}
	made.take(t, third)
	if code, body, _ := probe(cut, "/livez"); code != http.StatusOK {
		t.Errorf("livez is %d %s", code, body)
	}
	if !testenv.Long() { // else its span of time is over: nothing to take
		made.take(t, cut) // the span that it was granted is still its own
	}

	proxy.Pass()
	<-before.Context().Done()
	eventually(t, "unready", func() bool {
		code, body, _ := probe(cut, "/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(body, `"status":"failing"`)
	})
	if err := second.Close(t.Context()); err != nil {
		t.Error(err)
	}
	eventually(t, "another number", func() bool { return cut.Worker().ID() != before.ID() })
	eventually(t, "ready", func() bool {
		code, _, _ := probe(cut, "/readyz")
		return code == http.StatusOK
	})
	made.take(t, cut)
	made.take(t, third)
}

// openDirect opens a node on the server, with one try to get a number.
func openDirect(t *testing.T, server *testenv.Server) (*cohort.Node, error) {
	t.Helper()
	n, err := cohort.Open(t.Context(), cohort.Options{Getenv: onRedis(server.URL(), "WORKER_ID_MAX", "1")})
	if err == nil {
		t.Cleanup(func() { _ = n.Close(context.Background()) })
	}
	return n, err
}

// ids are all that were made.
type ids map[snowflake.ID]struct{}

func (all ids) take(t *testing.T, n *cohort.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	row := make([]snowflake.ID, 10_000)
	if err := n.IDs().Fill(ctx, row); err != nil {
		t.Fatalf("ids of number %d: %v", n.Worker().ID(), err)
	}
	for _, id := range row {
		if _, again := all[id]; again {
			t.Fatalf("ID %v again, by number %d", id, n.Worker().ID())
		}
		all[id] = struct{}{}
	}
}

// age makes the lease of a number end now, as if its TTL had passed.
func age(t *testing.T, client *redis.Client, number int) {
	t.Helper()
	const table, index = "cohort:workerid:{default}:numbers", "cohort:workerid:{default}:expiry"
	const expires = 7 // field of a record
	ctx, field := t.Context(), strconv.Itoa(number)
	record, err := client.HGet(ctx, table, field).Result()
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.SplitN(record, " ", expires+2)
	now := time.Now().Add(-time.Second).UnixMilli()
	fields[expires] = strconv.FormatInt(now, 10)
	if err := client.HSet(ctx, table, field, strings.Join(fields, " ")).Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.ZAdd(ctx, index, redis.Z{Score: float64(now), Member: field}).Err(); err != nil {
		t.Fatal(err)
	}
}
