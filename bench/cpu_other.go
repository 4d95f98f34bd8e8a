//go:build !unix

package main

import "time"

// cpuTime stands for the CPU time where the system doesn't tell it.
func cpuTime() time.Duration { return time.Since(started) }
