// Package fault makes what tests of the prover service need to go wrong.
package fault

import (
	"fmt"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// FillDisk has no file of this program grow until the function that it returns is called: what
// is written beyond the first byte fails, everywhere, as on a disk that is full. Reading goes on.
func FillDisk() (empty func(), err error) {
	signal.Ignore(syscall.SIGXFSZ)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		return nil, err
	}
	full := before
	full.Cur = 1
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &full); err != nil {
		return nil, fmt.Errorf("fill the disk: %w", err)
	}
	return func() { unix.Setrlimit(unix.RLIMIT_FSIZE, &before) }, nil
}
