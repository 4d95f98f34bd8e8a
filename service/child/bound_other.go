//go:build !linux

package child

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// niceness is the children's, on the scale from -20 to 20.
const niceness = 10

// executable is this program's file.
func executable() (string, error) { return os.Executable() }

// lowerThread does nothing: here a priority belongs to a process.
func lowerThread() {}

// bound puts the child into a process group of its own, so that Ctrl-C reaches it through
// its parent alone.
func bound() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// expendable lowers the child's priority.
func expendable(pid int) { unix.Setpriority(unix.PRIO_PROCESS, pid, niceness) }
