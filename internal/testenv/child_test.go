package testenv_test

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestChildTalks(t *testing.T) {
	c := testenv.Child(t, "echo", "a", "b c")
	if got := c.Line(t); got != "[a b c]" {
		t.Errorf("the child got %s", got)
	}
	if err := c.Send("hello"); err != nil {
		t.Fatal(err)
	}
	if got := c.Line(t); got != "hello" {
		t.Errorf("the child answered %q", got)
	}
}

func TestChildEnds(t *testing.T) {
	c := testenv.Child(t, "die")
	for line := range c.Lines() {
		t.Errorf("unexpected line %q", line)
	}
	err := c.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 3 {
		t.Errorf("the child ended with %v, want exit code 3", err)
	}
	c.Freeze() // no effect, and no wait, once it is gone
	c.Kill()
}

func TestChildFreezesAndThaws(t *testing.T) {
	c := testenv.Child(t, "count")
	next := 0
	expect := func() {
		t.Helper()
		if got, want := c.Line(t), fmt.Sprint(next); got != want {
			t.Fatalf("line %s, want %s", got, want)
		}
		next++
	}
	expect()
	c.Freeze()
	for { // what is in the pipe still comes
		select {
		case <-c.Lines():
			next++
			continue
		case <-time.After(50 * time.Millisecond):
		}
		break
	}
	c.Thaw()
	expect()
	c.Freeze()
	c.Kill() // a frozen process can be killed
	if c.Wait() == nil {
		t.Error("a killed process ended well")
	}
}

func TestServersDieWithTheirOwner(t *testing.T) {
	testenv.RabbitURL(t) // or there is nothing to start
	c := testenv.Child(t, "owner", t.TempDir())
	addrs := []string{c.Line(t), c.Line(t)}
	for _, addr := range addrs {
		if conn, err := net.Dial("tcp", addr); err != nil {
			t.Fatal(err)
		} else {
			_ = conn.Close()
		}
	}
	c.Kill()
	for _, addr := range addrs {
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				break
			}
			_ = conn.Close()
			if time.Now().After(deadline) {
				t.Fatalf("%s still listens", addr)
			}
		}
	}
}
