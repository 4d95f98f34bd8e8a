package reusable_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
	"github.com/zkml-go/zkml/verifier/solidity/internal/reusable"
)

// verifiers are the three that must agree on one model's proofs.
type verifiers struct {
	ours, gnark *evm.Deployed
	model       *reusable.Model
	linearised  [32]byte
}

// verdicts says which of the three accept a call: the reusable contract, alone and in a
// batch of one, gnark's contract, and the Go verifier on the file's bytes.
func (v *verifiers) verdicts(t *testing.T, c reusable.Call) (ours, gnark, file bool) {
	t.Helper()
	id := v.model.VK.ModelID()
	ours = call(t, v.ours, reusable.EncodeVerify(id, c.Words, c.Proof)).Revert == nil
	r := call(t, v.gnark, reusable.EncodeGnark(c.Words, c.Proof))
	gnark = r.Revert == nil && new(big.Int).SetBytes(r.Output).Cmp(big.NewInt(1)) == 0
	err := reusable.VerifyFile(v.model.VK, id, c.Words, reusable.Raw(c.Proof, v.model.Shape.Commitments, v.linearised))
	if err != nil && !errors.Is(err, prover.ErrRejected) {
		t.Errorf("the Go verifier fails with %v, which isn't a rejection", err)
	}
	return ours, gnark, err == nil
}

// shapes returns shapes of random circuits: 0 to 3 commitments, 1 to 200 public words,
// some without products.
func shapes(n int) []reusable.Shape {
	r := rand.New(rand.NewPCG(1, 1))
	words := []int{1, 2, 200, 7}
	list := make([]reusable.Shape, n)
	for i := range list {
		list[i] = reusable.Shape{Commitments: i % 4, Gates: 20 + r.IntN(300), Linear: i%5 == 4, Seed: uint64(1000 + i)}
		switch {
		case i/4 < len(words):
			list[i].Words = words[(i/4+i)%len(words)]
		default:
			list[i].Words = int(math.Pow(200, r.Float64()))
		}
	}
	return list
}

// TestAgreement compares the reusable contract, gnark's contract and the Go verifier:
// on proofs, and on changes of them of one thing each. With -full these are 300 proofs
// of 60 circuits, with every word of each changed.
func TestAgreement(t *testing.T) {
	needCompiler(t)
	keys, perKey, chunk := 4, 1, 4
	if *full {
		keys, perKey, chunk = 60, 5, 20
	}
	var proofs, changes, points atomic.Int64
	all := shapes(keys)
	for start := 0; start < keys; start += chunk {
		models := make([]*reusable.Model, 0, chunk)
		for _, shape := range all[start:min(start+chunk, keys)] {
			m, err := reusable.NewModel(shape)
			if err != nil {
				t.Fatal(err)
			}
			models = append(models, m)
			if m.VK.Plonk().Qm.IsInfinity() {
				points.Add(1)
			}
		}
		gnark, err := reusable.GnarkContracts(context.Background(), models)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprintf("circuits %d to %d", start, start+len(models)-1), func(t *testing.T) {
			var work sync.WaitGroup
			next := make(chan int)
			for range runtime.GOMAXPROCS(0) {
				work.Go(func() {
					d := deployed(t, models...)
					for i := range next {
						p, c := agree(t, &verifiers{ours: d, gnark: gnark[i], model: models[i]}, models, perKey)
						proofs.Add(int64(p))
						changes.Add(int64(c))
					}
				})
			}
			for i := range models {
				next <- i
			}
			close(next)
			work.Wait()
		})
	}
	t.Logf("%d proofs, accepted by all three; %d changes, rejected by all three; %d keys with a selector at infinity", proofs.Load(), changes.Load(), points.Load())
	if *full && points.Load() == 0 {
		t.Error("no key has a selector at infinity")
	}
}

// agree runs the proofs of one model and their changes through all verifiers.
func agree(t *testing.T, v *verifiers, models []*reusable.Model, perKey int) (proofs, changes int) {
	other, err := v.model.Prove(100)
	if err != nil {
		t.Error(err)
		return 0, 0
	}
	for k := range perKey {
		s, err := v.model.Prove(uint64(k))
		if err != nil {
			t.Error(err)
			return proofs, changes
		}
		v.linearised = reusable.Linearised(s.Proof)
		honest := reusable.NewCall(s.Item)
		ours, gnark, file := v.verdicts(t, honest)
		if !ours || !gnark || !file {
			t.Errorf("%+v: accepted by ours %v, by gnark's contract %v, as a file %v", v.model.Shape, ours, gnark, file)
		}
		for _, item := range []solidity.Item{s.Item, s.BatchItem} {
			if r := call(t, v.ours, solidity.EncodeVerifyBatch([]solidity.Item{item, item})); r.Revert != nil {
				t.Errorf("%+v: a batch of it twice: %v", v.model.Shape, r.Revert)
			}
		}
		proofs++
		r := rand.New(rand.NewPCG(uint64(k), v.model.Shape.Seed))
		for name, changed := range reusable.Changes(honest, reusable.NewCall(other.Item), v.model.Shape.Commitments, r, *full) {
			ours, gnark, file := v.verdicts(t, changed)
			if ours || gnark || file {
				t.Errorf("%+v: %s: accepted by ours %v, by gnark's contract %v, as a file %v", v.model.Shape, name, ours, gnark, file)
			}
			changes++
		}
		changes += v.foreign(t, s, models)
		v.bytes(t, s)
	}
	return proofs, changes
}

// foreign verifies a proof under other models' keys.
func (v *verifiers) foreign(t *testing.T, s *reusable.Sample, models []*reusable.Model) (changes int) {
	c := reusable.NewCall(s.Item)
	for _, m := range models {
		if m == v.model {
			continue
		}
		if r := call(t, v.ours, reusable.EncodeVerify(m.VK.ModelID(), c.Words, c.Proof)); r.Revert == nil {
			t.Errorf("%+v: accepted under the key of %+v", v.model.Shape, m.Shape)
		}
		proof := *s.Proof
		if _, err := prover.Verify(m.VK, &proof, prover.Expectation{AllowDevelopmentSRS: true}); err == nil {
			t.Errorf("%+v: the Go verifier accepts under the key of %+v", v.model.Shape, m.Shape)
		}
		changes++
	}
	return changes
}

// bytes truncates and extends the calldata itself, which only our contract is strict
// about.
func (v *verifiers) bytes(t *testing.T, s *reusable.Sample) {
	calldata := solidity.EncodeVerify(s.Item)
	for _, n := range []int{1, 31, 32, 64, 96, len(calldata) / 2, len(calldata) - 4, len(calldata)} {
		if call(t, v.ours, calldata[:len(calldata)-n]).Revert == nil {
			t.Errorf("%+v: accepted without its last %d bytes", v.model.Shape, n)
		}
		longer := slices.Concat(calldata, make([]byte, n))
		if r := call(t, v.ours, longer); r.Revert == nil || !strings.HasPrefix(r.Revert.Error(), "NonCanonicalCalldata") {
			t.Errorf("%+v: with %d bytes behind: %v", v.model.Shape, n, r.Revert)
		}
	}
}
