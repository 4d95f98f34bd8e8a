package reusable_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/zkml-go/zkml/verifier/solidity/internal/reusable"
)

// undecoded are the errors of calls whose arguments can't be read or have lengths that
// no proof for the key has; without a name, Solidity's own decoder reverted.
var undecoded = map[string]bool{
	"": true, "NonCanonicalCalldata": true, "BatchLengths": true, "EmptyBatch": true,
	"WordCount": true, "ProofLength": true, "UnknownModel": true,
}

// tally counts what became of mutated calls.
type tally struct {
	mu                        sync.Mutex
	calls, decoded, equations int
	accepted                  int
	byError                   map[string]int
}

// TestMutatedCalls changes accepted calls of verify and verifyBatch at random: with
// -full 100,000 of them, of which at least nine in ten must get past decoding and the
// checks of lengths. None may be accepted.
func TestMutatedCalls(t *testing.T) {
	n := 400
	if *full {
		n = 102_000
	}
	var samples []*reusable.Sample
	var models []*reusable.Model
	for c := range 4 {
		for _, words := range []int{1, 3, 20} {
			for seed := range uint64(2) {
				if !*full && (words == 20 || c == 2) {
					continue
				}
				m, err := reusable.NewModel(reusable.Shape{Words: words, Commitments: c, Gates: 50, Linear: words == 3, Seed: 50 + seed})
				if err != nil {
					t.Fatal(err)
				}
				models = append(models, m)
				for k := range 1 + seed {
					s, err := m.Prove(k)
					if err != nil {
						t.Fatal(err)
					}
					samples = append(samples, s)
				}
			}
		}
	}
	counts := tally{byError: map[string]int{}}
	var work sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		work.Go(func() { counts.fuzz(t, samples, models, n/workers+1, uint64(w)) })
	}
	work.Wait()
	t.Logf("%d calldatas: %d past decoding and lengths (%.1f %%), %d to the equations, %d accepted; by error: %v",
		counts.calls, counts.decoded, 100*float64(counts.decoded)/float64(counts.calls), counts.equations, counts.accepted, counts.byError)
	if 10*counts.decoded < 9*counts.calls || 2*counts.equations < counts.calls {
		t.Error("too few calls get past decoding, or to the equations")
	}
	figures.fuzzed, figures.accepted = counts.calls, counts.accepted
}

// fuzz runs n mutated calls in a virtual machine of its own.
func (c *tally) fuzz(t *testing.T, samples []*reusable.Sample, models []*reusable.Model, n int, seed uint64) {
	d := deployed(t, models...)
	mutator := reusable.NewMutator(samples, seed)
	for i := range n {
		if i%500 == 0 {
			if r := call(t, d, mutator.Honest()); r.Revert != nil {
				t.Errorf("an honest call: %v", r.Revert)
			}
		}
		calldata := mutator.Next()
		r := call(t, d, calldata)
		name := "accepted"
		if r.Revert != nil {
			name = r.Revert.Name
		}
		c.mu.Lock()
		c.calls++
		c.byError[name]++
		if r.Revert == nil {
			c.accepted++
			t.Errorf("accepted: %x", calldata)
		}
		if !undecoded[name] {
			c.decoded++
		}
		if name == "ProofRejected" {
			c.equations++
		}
		c.mu.Unlock()
	}
}
