package job_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/job"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// TestTransitions tries every transition from every state, as the owner of the attempt and
// as a worker whose job was taken over.
func TestTransitions(t *testing.T) {
	policy := job.Policy{MaxFaults: 2, Backoff: time.Second, MaxBackoff: time.Minute}
	infra := job.Failure{Fault: job.Infrastructure, Code: "disk", Message: "disk full", Retry: true}
	type outcome struct {
		state job.State
		err   error
	}
	final := func(s job.State) outcome { return outcome{s, job.ErrFinal} }
	finals := []job.State{job.Succeeded, job.Failed, job.Cancelled, job.Expired}
	for _, c := range []struct {
		name                    string
		do                      func(job.Record, uint64) (job.Record, error)
		queued, owner, stale    outcome
		late                    bool // after the deadline
		attemptAfter, faultsRun int  // for the owner
	}{
		{"claim", func(r job.Record, _ uint64) (job.Record, error) { return r.Claim("w", epoch, policy) },
			outcome{job.Running, nil}, outcome{job.Running, nil}, outcome{job.Running, nil}, false, 4, 1},
		{"claim late", func(r job.Record, _ uint64) (job.Record, error) { return r.Claim("w", epoch.Add(time.Hour), policy) },
			outcome{job.Expired, nil}, outcome{job.Expired, nil}, outcome{job.Expired, nil}, true, 3, 0},
		{"advance", func(r job.Record, a uint64) (job.Record, error) { return r.Advance(a, "solve", nil) },
			outcome{job.Queued, job.ErrFenced}, outcome{job.Running, nil}, outcome{job.Running, job.ErrFenced}, false, 3, 0},
		{"succeed", func(r job.Record, a uint64) (job.Record, error) { return r.Succeed(a, "", json.RawMessage("1"), epoch) },
			outcome{job.Queued, job.ErrFenced}, outcome{job.Succeeded, nil}, outcome{job.Running, job.ErrFenced}, false, 3, 0},
		{"fail", func(r job.Record, a uint64) (job.Record, error) { return r.Fail(a, infra, epoch) },
			outcome{job.Queued, job.ErrFenced}, outcome{job.Failed, nil}, outcome{job.Running, job.ErrFenced}, false, 3, 0},
		{"retry", func(r job.Record, a uint64) (job.Record, error) { return r.Retry(a, infra, epoch, policy) },
			outcome{job.Queued, job.ErrFenced}, outcome{job.Queued, nil}, outcome{job.Running, job.ErrFenced}, false, 3, 1},
		{"release", func(r job.Record, a uint64) (job.Record, error) { return r.Release(a) },
			outcome{job.Queued, job.ErrFenced}, outcome{job.Queued, nil}, outcome{job.Running, job.ErrFenced}, false, 3, 0},
		{"cancel", func(r job.Record, _ uint64) (job.Record, error) { return r.Cancel(epoch) },
			outcome{job.Cancelled, nil}, outcome{job.Cancelled, nil}, outcome{job.Cancelled, nil}, false, 3, 0},
		{"expire early", func(r job.Record, _ uint64) (job.Record, error) { return r.Expire(epoch) },
			outcome{job.Queued, job.ErrNotDue}, outcome{job.Running, job.ErrNotDue}, outcome{job.Running, job.ErrNotDue}, false, 3, 0},
		{"expire", func(r job.Record, _ uint64) (job.Record, error) { return r.Expire(epoch.Add(time.Hour)) },
			outcome{job.Expired, nil}, outcome{job.Expired, nil}, outcome{job.Expired, nil}, true, 3, 0},
	} {
		check := func(from string, r job.Record, attempt uint64, want outcome) job.Record {
			t.Helper()
			got, err := c.do(r, attempt)
			if got.State != want.state || !errors.Is(err, want.err) {
				t.Errorf("%s from %s: %s, %v; want %s, %v", c.name, from, got.State, err, want.state, want.err)
			}
			if err != nil && !reflect.DeepEqual(got, r) {
				t.Errorf("%s from %s: refused, but the record changed", c.name, from)
			}
			return got
		}
		r := job.Record{State: job.Queued, Attempt: 3, Deadline: epoch.Add(time.Minute), Stages: []job.Stage{{Name: "load"}}}
		check("queued", r, 3, c.queued)
		r.State = job.Running
		got := check("running", r, 3, c.owner)
		if int(got.Attempt) != c.attemptAfter || got.Faults != c.faultsRun {
			t.Errorf("%s: attempt %d, faults %d; want %d, %d", c.name, got.Attempt, got.Faults, c.attemptAfter, c.faultsRun)
		}
		if new := got.Attempt > r.Attempt || c.name == "advance"; new != (got.Stages == nil) {
			t.Errorf("%s: stages %v", c.name, got.Stages)
		}
		check("a stale attempt", r, 2, c.stale)
		for _, s := range finals {
			r.State = s
			check(string(s), r, 3, final(s))
		}
	}
}

// TestPark ends a job whose attempts keep being ended, by takeovers and by faults.
func TestPark(t *testing.T) {
	policy := job.Policy{MaxFaults: 3, Backoff: time.Second, MaxBackoff: time.Minute}
	for _, how := range []string{"vanish", "fault"} {
		r := job.Record{State: job.Queued}
		runs := 0
		for !r.State.Final() {
			var err error
			if r, err = r.Claim("w", epoch, policy); err != nil {
				t.Fatal(err)
			}
			if r.State != job.Running {
				break
			}
			runs++
			if how == "fault" {
				if r, err = r.Retry(r.Attempt, job.Failure{Fault: job.Infrastructure, Message: "disk full"}, epoch, policy); err != nil {
					t.Fatal(err)
				}
			}
		}
		if runs != 3 || r.State != job.Failed || r.Failure.Code != job.CodeParked || r.Failure.Fault != job.Infrastructure {
			t.Errorf("%s: %d runs, %s, %+v", how, runs, r.State, r.Failure)
		}
	}
	for faults, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 60: time.Minute} {
		if got := policy.Delay(faults); got != want {
			t.Errorf("wait after %d faults: %v, want %v", faults, got, want)
		}
	}
}

// store is a compare-and-swap register, with a clock of its own.
type store struct {
	record   job.Record
	revision int
	now      time.Time
	history  []job.Record
	fenced   bool // false lets every write pass, to see that the test would notice
}

func (s *store) swap(r job.Record, revision int) bool {
	if s.fenced && revision != s.revision {
		return false
	}
	s.record, s.revision = r, s.revision+1
	s.history = append(s.history, r)
	return true
}

// change loads, changes and swaps, with others at work between reading and writing.
func (s *store) change(between func(), do func(job.Record) (job.Record, error)) (job.Record, error) {
	for {
		r, revision := s.record, s.revision
		next, err := do(r)
		if err != nil {
			if !s.fenced && errors.Is(err, job.ErrFenced) {
				next, err = do(forget(r)) // the mutant believes everyone
			}
			if err != nil {
				return r, err
			}
		}
		between()
		if s.swap(next, revision) {
			return next, nil
		}
	}
}

// forget makes a record that takes any worker's word.
func forget(r job.Record) job.Record {
	r.State = job.Running
	return r
}

// worker is a simulated one: it holds an attempt, or none.
type worker struct {
	name    string
	attempt uint64
	held    time.Time // the last heartbeat
	stalled bool
}

// simulate runs one job through workers that die, stall and wake at random, clocks that
// jump, messages delivered twice, and tenants that cancel. It returns what is wrong.
func simulate(seed uint64, fenced bool) error {
	random := rand.New(rand.NewPCG(seed, 1))
	const takeover = 30 * time.Second
	policy := job.Policy{MaxFaults: 6, Backoff: time.Second, MaxBackoff: time.Minute}
	s := &store{now: epoch, fenced: fenced, record: job.Record{State: job.Queued, Deadline: epoch.Add(4 * time.Hour)}}
	workers := []*worker{{name: "a"}, {name: "b"}, {name: "c"}}
	told := map[string]bool{} // results that a worker was told are recorded
	depth := 0
	var step func()
	between := func() {
		if depth < 3 && random.IntN(3) == 0 {
			depth++
			step()
			depth--
		}
	}
	step = func() {
		w := workers[random.IntN(len(workers))]
		skewed := s.now.Add(time.Duration(random.IntN(7200)-3600) * time.Second / 10)
		switch k := random.IntN(12); {
		case k < 3: // a delivery: at first, after a takeover's time, or merely twice
			if s.record.State == job.Running && s.now.Sub(s.record.Started) < takeover && random.IntN(8) > 0 {
				return
			}
			r, err := s.change(between, func(r job.Record) (job.Record, error) { return r.Claim(w.name, skewed, policy) })
			if err == nil && r.State == job.Running {
				w.attempt, w.stalled = r.Attempt, false
			}
		case k == 3:
			w.stalled = true
		case k == 4:
			w.stalled = false // with the attempt that it had
		case k == 5:
			w.attempt = 0 // killed
		case k == 6:
			s.now = s.now.Add(time.Duration(random.IntN(60)) * time.Second)
		case k == 7 && random.IntN(20) == 0:
			s.change(between, func(r job.Record) (job.Record, error) { return r.Cancel(skewed) })
		case k == 8:
			s.change(between, func(r job.Record) (job.Record, error) { return r.Expire(skewed) })
		default:
			if w.attempt == 0 || w.stalled {
				return
			}
			attempt := w.attempt
			result := fmt.Sprintf(`"%s %d"`, w.name, attempt)
			var err error
			switch random.IntN(6) {
			case 0:
				_, err = s.change(between, func(r job.Record) (job.Record, error) {
					return r.Succeed(attempt, "", json.RawMessage(result), skewed)
				})
				if err == nil {
					told[result] = true
				}
				w.attempt = 0
			case 1:
				s.change(between, func(r job.Record) (job.Record, error) {
					return r.Retry(attempt, job.Failure{Fault: job.Infrastructure}, skewed, policy)
				})
				w.attempt = 0
			case 2:
				s.change(between, func(r job.Record) (job.Record, error) { return r.Release(attempt) })
				w.attempt = 0
			default:
				if _, err := s.change(between, func(r job.Record) (job.Record, error) { return r.Advance(attempt, "x", nil) }); err != nil {
					w.attempt = 0
				}
			}
		}
	}
	for range 400 {
		step()
	}
	// Whatever happened, one worker and time end the job.
	for i := 0; !s.record.State.Final(); i++ {
		if i > 20 {
			return errors.New("the job doesn't end")
		}
		r, err := s.change(func() {}, func(r job.Record) (job.Record, error) { return r.Claim("d", s.now, policy) })
		if err != nil || r.State.Final() {
			continue
		}
		s.change(func() {}, func(r job.Record) (job.Record, error) { return r.Succeed(r.Attempt, "", json.RawMessage(`"d"`), s.now) })
		told[`"d"`] = true
	}
	return s.judge(told)
}

// judge reads the history of a record.
func (s *store) judge(told map[string]bool) error {
	ends := 0
	for i, r := range s.history {
		if r.State.Final() {
			ends++
		}
		if i == 0 {
			continue
		}
		before := s.history[i-1]
		if before.State.Final() {
			return fmt.Errorf("final %s was followed by %s", before.State, r.State)
		}
		if r.Attempt < before.Attempt || r.State == job.Running && before.State == job.Queued && r.Attempt != before.Attempt+1 {
			return fmt.Errorf("attempt %d was followed by %d", before.Attempt, r.Attempt)
		}
	}
	if ends != 1 {
		return fmt.Errorf("%d final records", ends)
	}
	if s.record.State == job.Succeeded {
		if len(told) != 1 || !told[string(s.record.Result)] {
			return fmt.Errorf("recorded %s, workers were told that %v are", s.record.Result, told)
		}
	} else if len(told) != 0 || s.record.Result != nil {
		return fmt.Errorf("%s, but workers were told that %v are recorded", s.record.State, told)
	}
	return nil
}

// TestInterleavings has 5,000 jobs end once, and sees that without the fence the same
// interleavings don't.
func TestInterleavings(t *testing.T) {
	broken := 0
	for seed := range uint64(5000) {
		if err := simulate(seed, true); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if seed < 1000 && simulate(seed, false) != nil {
			broken++
		}
	}
	if broken < 100 {
		t.Errorf("without the fence only %d of 1000 interleavings went wrong", broken)
	}
}

func TestNames(t *testing.T) {
	a := job.IDFor("a", job.Proof, "k")
	if !job.ValidID(a) || !job.ValidID(job.NewID()) || job.NewID() == job.NewID() {
		t.Errorf("ids %q, %q", a, job.NewID())
	}
	if a != job.IDFor("a", job.Proof, "k") || a == job.IDFor("b", job.Proof, "k") || a == job.IDFor("a", job.Build, "k") || a == job.IDFor("a", job.Proof, "l") {
		t.Error("an id for a key must depend on tenant, kind and key, and nothing else")
	}
	for name, want := range map[string]bool{"a": true, "a-1": true, "": false, "A": false, "a.b": false, "a/b": false, "*": false, "-a": false} {
		if job.ValidTenant(name) != want {
			t.Errorf("tenant %q: %v", name, !want)
		}
	}
}
