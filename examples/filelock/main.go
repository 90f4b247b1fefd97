//go:build unix

// Command filelock is a complete backend of package lock in one file of code, and a
// use for it: it runs a command on one process at a time among all that name the
// same folder, and ends the command if its lease is lost.
//
//	go run ./examples/filelock -dir /tmp/locks -name backup -- sh -c 'echo fence $COHORT_FENCE; sleep 3'
//
// The backend keeps a small file for each name. backend.go is all that has to be
// written for it; backend_test.go enters it into the suite.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/cohort-go/cohort/lock"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "filelock:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("filelock", flag.ContinueOnError)
	dir := flags.String("dir", filepath.Join(os.TempDir(), "filelock"), "folder that all processes share")
	name := flags.String("name", "command", "what to lock")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("which command? filelock [flags] -- command [arguments]")
	}
	folder, err := openFolder(*dir)
	if err != nil {
		return err
	}
	locker, err := lock.New(folder, lock.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, locker.Close(context.WithoutCancel(ctx))) }()
	return lock.Do(ctx, locker, *name, lock.Request{}, func(ctx context.Context, l *lock.Lease) error {
		cmd := exec.CommandContext(ctx, flags.Arg(0), flags.Args()[1:]...)
		cmd.Env = append(os.Environ(), fmt.Sprint("COHORT_FENCE=", l.Fence()))
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		return cmd.Run()
	})
}
