package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Memory is what a process holds while the jobs of a run end, as Linux tells it.
type Memory struct {
	PID int `json:"pid"`
	// Peaks are the most bytes that were resident during each fifth of the jobs; 0 for one in
	// which the process wasn't seen.
	Peaks [fifths]int64 `json:"peaks"`
	// Growth is how much the largest peak after the second one is above that: by then the
	// process has what it keeps.
	Growth float64 `json:"growth"`
}

// fifths is into how many parts a run is divided.
const fifths = 5

// sampleEvery is how often memory is looked at.
const sampleEvery = 100 * time.Millisecond

// watchMemory samples processes until ctx ends, and then returns what they held. done says
// which part of the run is over, from 0 to 1.
func watchMemory(ctx context.Context, pids []int, done func() float64) func() []Memory {
	seen := make([]Memory, len(pids))
	for i, pid := range pids {
		seen[i].PID = pid
	}
	var sampler sync.WaitGroup
	sampler.Go(func() {
		for ctx.Err() == nil {
			part := min(int(done()*fifths), fifths-1)
			for i := range seen {
				seen[i].Peaks[part] = max(seen[i].Peaks[part], resident(seen[i].PID))
			}
			select {
			case <-ctx.Done():
			case <-time.After(sampleEvery):
			}
		}
	})
	return func() []Memory {
		sampler.Wait()
		for i := range seen {
			m := &seen[i]
			for _, peak := range m.Peaks[2:] {
				if m.Peaks[1] > 0 {
					m.Growth = max(m.Growth, float64(peak)/float64(m.Peaks[1])-1)
				}
			}
		}
		return seen
	}
}

// resident returns the bytes of a process that are in memory, 0 if it isn't there.
func resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}

// Family lists a process and the processes that it started, as Linux tells them.
func Family(pid int) []int {
	pids := []int{pid}
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range all {
		text, _ := os.ReadFile(stat)
		// The name, in parentheses, may have anything in it.
		_, rest, _ := strings.Cut(string(text), ") ")
		var state string
		var child, parent int
		fmt.Sscan(rest, &state, &parent)
		fmt.Sscan(string(text), &child)
		if parent == pid && state != "Z" {
			pids = append(pids, child)
		}
	}
	return pids
}
