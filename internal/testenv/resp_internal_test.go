package testenv

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReadReply(t *testing.T) {
	replies := []string{
		"+OK\r\n", "-ERR no\r\n", ":12\r\n", "_\r\n", "#t\r\n", ",1.5\r\n", "(123\r\n",
		"$-1\r\n", "$0\r\n\r\n", "$3\r\na\nb\r\n", "=7\r\ntxt:abc\r\n", "!3\r\nERR\r\n",
		"*-1\r\n", "*0\r\n", "*2\r\n:1\r\n*1\r\n$1\r\na\r\n", "%1\r\n+a\r\n:1\r\n", "~1\r\n:1\r\n",
		">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n", "|1\r\n+ttl\r\n:1\r\n$1\r\nv\r\n",
	}
	stream := bufio.NewReader(strings.NewReader(strings.Join(replies, "")))
	for _, want := range replies {
		if got, err := readReply(stream, nil); err != nil || string(got) != want {
			t.Errorf("read %q, %v; want %q", got, err, want)
		}
	}
	if _, err := readReply(stream, nil); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	for _, bad := range []string{"*2\r\n:1\r\n", "$5\r\nab", "*x\r\n", "\n"} {
		if _, err := readReply(bufio.NewReader(strings.NewReader(bad)), nil); err == nil {
			t.Errorf("%q is no reply", bad)
		}
	}
}
