package agreement_test

import (
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/agreement"
	"github.com/cohort-go/cohort/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m, nil) }

const settings = "CACHE=redis /0\nLOCK=redis /1\n"

func TestReach(t *testing.T) {
	tests := []struct {
		name, theirs string
		want         []string // that differ
	}{
		{"the same", settings, nil},
		{"another value", "CACHE=redis /0\nLOCK=redis /2\n", []string{"LOCK"}},
		{"one less", "CACHE=redis /0\n", []string{"LOCK"}},
		{"one more", settings + "QUEUE=redis\n", []string{"QUEUE"}},
		{"all", "CACHE=memory\nLOCK=local\n", []string{"CACHE", "LOCK"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := testenv.Mini(t)
			reach(t, agreement.New(client, "shop", tt.theirs), nil)
			reach(t, agreement.New(client, "other", "CACHE=memory\n"), nil)
			reach(t, agreement.New(client, "shop", settings), tt.want)
		})
	}
}

// TestForce: settings change once no node has renewed the earlier ones for 30 s.
func TestForce(t *testing.T) {
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	before, after := agreement.New(client, "", "LOCK=redis\n"), agreement.New(client, "", "LOCK=local\n")
	reach(t, before, nil)
	server.FastForward(29 * time.Second)
	reach(t, after, []string{"LOCK"})
	reach(t, before, nil)
	server.FastForward(29 * time.Second)
	reach(t, after, []string{"LOCK"})
	server.FastForward(2 * time.Second)
	reach(t, after, nil)
	reach(t, before, []string{"LOCK"})
}

func reach(t *testing.T, a *agreement.Agreement, want []string) {
	t.Helper()
	differing, err := a.Reach(t.Context())
	if err != nil || !slices.Equal(differing, want) {
		t.Errorf("got %v, %v, want %v", differing, err, want)
	}
}
