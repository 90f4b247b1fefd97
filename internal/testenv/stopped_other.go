//go:build !linux

package testenv

import "time"

// stopped gives the process the time that its kernel needs to stop it.
func stopped(int) bool {
	time.Sleep(10 * time.Millisecond)
	return true
}
