//go:build !unix

package queue

import "os"

// lockFile opens the file; this system has no lock that ends with the process, so
// it is the caller who must not share the path.
func lockFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
}
