// Package rediserr says what an error of go-redis means for a caller: whether
// trying again can help, and whether the command may have run.
package rediserr

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// passing are the replies of a server that did not run the command and that
// may run it a moment later.
var passing = []string{
	"NOSCRIPT ", "READONLY ", "LOADING ", "CLUSTERDOWN ", "MOVED ", "ASK ", "TRYAGAIN ", "MASTERDOWN ",
	"BUSY ", // another script runs; the server took nothing
	"ERR max number of clients reached",
}

// unreachable are what go-redis reports, in plain text, before it has found a
// server to send a command to.
var unreachable = []string{
	"redis: all sentinels specified in configuration are unreachable",
	"redis: cluster has no nodes",
}

// Retryable reports whether the same command can succeed later without anybody
// changing the command, the configuration or the rights: the server said so, or
// the connection failed. An ended context and a closed client are final.
func Retryable(err error) bool {
	switch {
	case err == nil, errors.Is(err, redis.ErrClosed):
		return false
	case isUnreachable(err), isDial(err), errors.Is(err, redis.ErrPoolTimeout):
		return true
	case isReply(err):
		return isPassing(err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	}
	return isBroken(err)
}

// Uncertain reports whether the command may have run although err is all that
// came back: the connection broke, or the time was over, after the command may
// have been sent. A reply is never uncertain, nor is a refused dial. A client
// that retries by itself (MaxRetries) reports only its last attempt; [Retry]
// remembers the earlier ones.
func Uncertain(err error) bool {
	if r, ok := errors.AsType[*retryError](err); ok {
		return r.uncertain
	}
	switch {
	case err == nil, isUnreachable(err), isDial(err), isReply(err),
		errors.Is(err, redis.ErrClosed), errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
		return false
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return true
	}
	return isBroken(err)
}

// isBroken reports whether a connection that existed failed. A refusal of TLS
// is no failure: the same certificate is refused again.
func isBroken(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "remote error" || op.Op == "local error") {
		return false
	}
	for _, target := range []error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, os.ErrDeadlineExceeded,
		syscall.ECONNRESET, syscall.EPIPE,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}

func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// isReply reports whether a server answered the command with an error. The
// answers of Sentinels to a question of the client are not replies.
func isReply(err error) bool {
	_, ok := errors.AsType[redis.Error](err)
	return ok
}

func isPassing(err error) bool {
	reply, _ := errors.AsType[redis.Error](err)
	text := reply.Error()
	for _, prefix := range passing {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	// A script that wrote on a server that has just become a replica.
	return strings.Contains(text, "-READONLY ")
}

func isUnreachable(err error) bool {
	for _, prefix := range unreachable {
		if strings.Contains(err.Error(), prefix) {
			return true
		}
	}
	return false
}
