//go:build !linux

package chaos

import "syscall"

// bound would have a program end with the one that started it; here only Close does.
func bound() *syscall.SysProcAttr { return nil }
