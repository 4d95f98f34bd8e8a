package work

import (
	"sync"
	"time"

	"github.com/zkml-go/zkml/service/job"
)

// quiet is how long at least lies between two stages that a record tells of.
const quiet = 500 * time.Millisecond

// stages measures what an attempt does, part by part, and has its record tell.
type stages struct {
	advance func(stage string, done []job.Stage) error

	mu    sync.Mutex
	name  string // of the present one; "" before the first
	begun time.Time
	told  time.Time
	done  []job.Stage
}

// begin ends the present stage and begins another one. It never waits for the record.
func (s *stages) begin(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.close(now)
	s.name, s.begun = name, now
	if now.Sub(s.told) < quiet {
		return
	}
	s.told = now
	go s.advance(name, s.done[:len(s.done):len(s.done)])
}

// end ends the last stage and returns all.
func (s *stages) end() []job.Stage {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(time.Now())
	s.name = ""
	return s.done
}

// close ends the present stage.
func (s *stages) close(now time.Time) {
	if s.name != "" {
		s.done = append(s.done, job.Stage{Name: s.name, Took: now.Sub(s.begun)})
	}
}
