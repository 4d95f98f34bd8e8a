package chaos

import "syscall"

// bound has a program end with the one that started it, however that ended.
func bound() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
