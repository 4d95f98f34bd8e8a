package work

import (
	"sync"
	"time"

	"github.com/zkml-go/zkml/service/job"
)

// quiet is how long a record is left alone: a stage that is over by then isn't told, and of two
// that are told the second waits for so long.
const quiet = 500 * time.Millisecond

// stages measures what an attempt does, part by part, and has its record tell.
type stages struct {
	advance func(stage string, done []job.Stage) error

	mu    sync.Mutex
	name  string // of the present one; "" before the first
	begun time.Time
	next  *time.Timer // tells of the present stage; nil if it has been told
	done  []job.Stage
}

// begin ends the present stage and begins another one. It never waits for the record.
func (s *stages) begin(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.close(now)
	s.name, s.begun = name, now
	if s.next == nil {
		s.next = time.AfterFunc(quiet, s.tell)
	}
}

// tell has the record tell of the present stage.
func (s *stages) tell() {
	s.mu.Lock()
	s.next = nil
	name, done := s.name, s.done[:len(s.done):len(s.done)]
	s.mu.Unlock()
	if name != "" {
		s.advance(name, done)
	}
}

// end ends the last stage and returns all.
func (s *stages) end() []job.Stage {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(time.Now())
	s.name = ""
	if s.next != nil {
		s.next.Stop()
	}
	return s.done
}

// close ends the present stage.
func (s *stages) close(now time.Time) {
	if s.name != "" {
		s.done = append(s.done, job.Stage{Name: s.name, Took: now.Sub(s.begun)})
	}
}
