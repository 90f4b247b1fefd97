package rediserr_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/rediserr"
)

type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}

func op(name string, err error) error { return &net.OpError{Op: name, Net: "tcp", Err: err} }

func TestClassify(t *testing.T) {
	tests := []struct {
		err                  error
		retryable, uncertain bool
	}{
		{nil, false, false},
		{redis.Nil, false, false},
		{redis.TxFailedErr, false, false},
		{redis.ErrClosed, false, false},
		{redis.ErrPoolTimeout, true, false},
		{redis.ErrNoScript, true, false},
		{reply("READONLY You can't write against a read only replica."), true, false},
		{reply("ERR Error running script: @user_script:1: -READONLY You can't write"), true, false},
		{reply("LOADING Redis is loading the dataset in memory"), true, false},
		{reply("CLUSTERDOWN The cluster is down"), true, false},
		{reply("MOVED 3999 127.0.0.1:6381"), true, false},
		{reply("ASK 3999 127.0.0.1:6381"), true, false},
		{reply("TRYAGAIN Multiple keys request during rehashing of slot"), true, false},
		{reply("MASTERDOWN Link with MASTER is down"), true, false},
		{reply("BUSY Redis is busy running a script."), true, false},
		{reply("ERR max number of clients reached"), true, false},
		{reply("BUSYGROUP Consumer Group name already exists"), false, false},
		{reply("OOM command not allowed when used memory > 'maxmemory'."), false, false},
		{reply("NOPERM this user has no permissions"), false, false},
		{reply("WRONGPASS invalid username-password pair"), false, false},
		{reply("CROSSSLOT Keys in request don't hash to the same slot"), false, false},
		{reply("WRONGTYPE Operation against a key"), false, false},
		{io.EOF, true, true},
		{io.ErrUnexpectedEOF, true, true},
		{net.ErrClosed, true, true},
		{op("read", syscall.ECONNRESET), true, true},
		{op("write", syscall.EPIPE), true, true},
		{op("read", os.ErrDeadlineExceeded), true, true},
		{op("dial", syscall.ECONNREFUSED), true, false},
		{op("dial", context.DeadlineExceeded), true, false},
		{op("remote error", errors.New("tls: bad certificate")), false, false},
		{context.Canceled, false, true},
		{context.DeadlineExceeded, false, true},
		{fmt.Errorf("redis: all sentinels specified in configuration are unreachable: %w", redis.Nil), true, false},
		{errors.New("redis: cluster has no nodes"), true, false},
		{errors.New("redis: can't marshal struct {}"), false, false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.err), func(t *testing.T) {
			for _, err := range []error{tt.err, wrapped(tt.err)} {
				if got := rediserr.Retryable(err); got != tt.retryable {
					t.Errorf("Retryable(%v) is %v", err, got)
				}
				if got := rediserr.Uncertain(err); got != tt.uncertain {
					t.Errorf("Uncertain(%v) is %v", err, got)
				}
			}
		})
	}
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("lock: acquire job: %w", err)
}

// TestRealErrors asks go-redis for the errors that the table above imitates.
func TestRealErrors(t *testing.T) {
	server := miniredis.RunT(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	tests := []struct {
		name                 string
		addr                 string
		reply                string
		retryable, uncertain bool
	}{
		{"refused", "127.0.0.1:1", "", true, false},
		{"no answer", silent.Addr().String(), "", true, true},
		{"out of memory", server.Addr(), "OOM command not allowed", false, false},
		{"loading", server.Addr(), "LOADING Redis is loading", true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := redis.NewClient(&redis.Options{
				Addr: tt.addr, MaxRetries: -1, DialerRetries: 1, ReadTimeout: 50 * time.Millisecond,
			})
			defer c.Close()
			server.SetError(tt.reply)
			err := c.Set(t.Context(), "k", "v", 0).Err()
			if rediserr.Retryable(err) != tt.retryable || rediserr.Uncertain(err) != tt.uncertain {
				t.Errorf("%v: retryable %v, uncertain %v", err, rediserr.Retryable(err), rediserr.Uncertain(err))
			}
		})
	}
}
