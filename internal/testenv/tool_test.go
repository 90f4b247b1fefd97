package testenv_test

import (
	"net"
	"os/exec"
	"testing"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestToolStartsAndEnds(t *testing.T) {
	var p *testenv.Process
	t.Run("while the test runs", func(t *testing.T) {
		p = testenv.Start(t, "sleeper", exec.Command(testenv.Tool(t, "sleep", "coreutils"), "600"))
		select {
		case <-p.Ended():
			t.Error("ended by itself")
		default:
		}
	})
	select {
	case <-p.Ended():
	default:
		t.Error("still runs after its test")
	}
}

func TestAddrIsFree(t *testing.T) {
	one, other := testenv.Addr(t), testenv.Addr(t)
	if one == other {
		t.Fatal("the same address twice")
	}
	l, err := net.Listen("tcp", one)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}
