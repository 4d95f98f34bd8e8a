// Package fault makes what tests of the prover service need to go wrong.
package fault

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrNoFiles: the program has no such file open, or the system can't tell.
var ErrNoFiles = errors.New("no open files to make full")

// FillOpenFiles has every write fail with ENOSPC to those files below a folder that this
// program has open and whose names end in a suffix, until they are opened anew: it puts
// Linux's /dev/full in their place. It returns how many there were.
func FillOpenFiles(folder, suffix string) (n int, err error) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer full.Close()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		path, err := os.Readlink(filepath.Join("/proc/self/fd", entry.Name()))
		if err != nil || !strings.HasPrefix(path, folder) || !strings.HasSuffix(path, suffix) {
			continue
		}
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			return n, err
		}
		if err := unix.Dup3(int(full.Fd()), fd, unix.O_CLOEXEC); err != nil {
			return n, err
		}
		n++
	}
	if n == 0 {
		return 0, ErrNoFiles
	}
	return n, nil
}
