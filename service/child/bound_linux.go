package child

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// niceness is how much nicer children are, on the scale from -20 to 19: at 10 a process gets
// a tenth of what one at 0 gets where both want the processor, and all of it otherwise.
const niceness = 10

// executable is this program's file, even if another one lies at its path by now.
func executable() (string, error) { return "/proc/self/exe", nil }

// lowerThread lowers the priority of the thread and of what it starts. Where that isn't
// allowed the children have the parent's.
func lowerThread() {
	// The system call's answer is 20 minus the priority.
	if own, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil {
		unix.Setpriority(unix.PRIO_PROCESS, 0, min(20-own+niceness, 19))
	}
}

// bound has the system kill the child with the thread that started it. The child is in a
// process group of its own, so that Ctrl-C reaches it through its parent alone.
func bound() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// expendable has the system end the child before its parent when memory is short.
func expendable(pid int) {
	os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte("500"), 0)
}
