package redisconn_test

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/cohort-go/cohort/internal/redisconn"
)

// TestOpenHidesAnEcho: a server without AUTH repeats what it does not understand.
func TestOpenHidesAnEcho(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // ends with l
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go echo(conn)
		}
	}()
	for _, login := range []string{"user:hunter2@", ":hunter2@"} {
		_, err := redisconn.NewPools().Open(t.Context(), "redis://"+login+l.Addr().String())
		if err == nil || strings.Contains(fmt.Sprintf("%+v", err), "hunter2") {
			t.Errorf("got %v, want an error without the password", err)
		}
	}
}

// echo refuses every command as Redis refuses an unknown one.
func echo(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
		var words []string
		for range n {
			_, _ = in.ReadString('\n')
			word, _ := in.ReadString('\n')
			words = append(words, strings.TrimSpace(word))
		}
		fmt.Fprintf(conn, "-ERR unknown command, with args beginning with: %q\r\n", words)
	}
}
