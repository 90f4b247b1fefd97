package testenv

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
)

// replyTypes are the bytes that replies begin with.
const replyTypes = "+-:$*_,#(%|=!~>"

// readReply reads one whole reply of the Redis protocol, version 2 or 3, and
// appends its bytes to b as they are.
func readReply(r *bufio.Reader, b []byte) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	b = append(b, line...)
	if err != nil {
		return b, err
	}
	if len(line) < 3 {
		return b, fmt.Errorf("reply begins with %q", line)
	}
	n, values := 0, 1
	switch line[0] {
	case '+', '-', ':', '_', ',', '#', '(':
		return b, nil
	case '%', '|':
		values = 2
	}
	if line[1] != '?' {
		if n, err = strconv.Atoi(string(line[1 : len(line)-2])); err != nil {
			return b, fmt.Errorf("reply begins with %q", line)
		}
	}
	switch line[0] {
	case '$', '=', '!':
		if n < 0 {
			return b, nil
		}
		start := len(b)
		b = append(b, make([]byte, n+2)...)
		_, err = io.ReadFull(r, b[start:])
		return b, err
	case '|': // attributes come before the value that they describe
		values = 2*n + 1
	default:
		values *= n
	}
	for ; values > 0 && err == nil; values-- {
		b, err = readReply(r, b)
	}
	return b, err
}
