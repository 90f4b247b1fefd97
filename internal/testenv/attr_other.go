//go:build !linux

package testenv

import "syscall"

// processAttr puts a child into its own process group. Only Linux kills the
// children of a process that was killed itself.
func processAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// enclosedAttr is processAttr where nothing more can be done.
func enclosedAttr() *syscall.SysProcAttr { return processAttr() }
