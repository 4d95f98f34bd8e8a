package work

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zkml-go/zkml/service/job"
)

// TestStages follows an attempt through three stages, of which the first is over too soon to be
// told of.
func TestStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type told struct {
			stage string
			done  []job.Stage
		}
		all := make(chan told, 8)
		s := &stages{advance: func(stage string, done []job.Stage) error {
			all <- told{stage, done}
			return nil
		}}
		s.begin("load")
		time.Sleep(quiet / 5)
		s.begin("solve")
		time.Sleep(2 * quiet)
		s.begin("prove")
		time.Sleep(time.Minute)
		want := []job.Stage{{Name: "load", Took: quiet / 5}, {Name: "solve", Took: 2 * quiet}, {Name: "prove", Took: time.Minute}}
		if got := s.end(); !slices.Equal(got, want) {
			t.Errorf("stages %v, want %v", got, want)
		}
		if got := s.end(); !slices.Equal(got, want) {
			t.Errorf("ended twice: %v", got)
		}
		synctest.Wait()
		close(all)
		var stages []string
		for one := range all {
			stages = append(stages, one.stage)
			if n := len(one.done); n > 2 || !slices.Equal(one.done, want[:n]) {
				t.Errorf("at %q: %v", one.stage, one.done)
			}
		}
		if !slices.Equal(stages, []string{"solve", "prove"}) {
			t.Errorf("told %v", stages)
		}
	})
}
