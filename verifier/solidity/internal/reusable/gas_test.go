package reusable_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/core/vm"

	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
	"github.com/zkml-go/zkml/verifier/solidity/internal/reusable"
)

// reference is the shape whose prices are quoted: the public words of a classifier of
// 28×28 images, and one commitment.
var reference = reusable.Shape{Words: 29, Commitments: 1, Gates: 60, Seed: 100}

// price is what a call costs per proof, under Osaka.
type price struct{ execution, transaction uint64 }

// priced runs a call of n proofs, which must be accepted.
func priced(t *testing.T, d *evm.Deployed, calldata []byte, n int) price {
	t.Helper()
	r := call(t, d, calldata)
	if r.Revert != nil {
		t.Fatal(r.Revert)
	}
	return price{r.ExecutionGas / uint64(n), r.TransactionGas / uint64(n)}
}

// snapshot collects lines of names and prices.
type snapshot struct{ lines []string }

func (s *snapshot) add(name string, p price) {
	s.lines = append(s.lines, fmt.Sprintf("%-44s %9d %9d", name, p.execution, p.transaction))
}

// TestGas measures what everything costs and compares it with the committed snapshot:
// execution to the unit, transactions, in which a proof's zero bytes are cheaper, to
// half a percent.
func TestGas(t *testing.T) {
	needCompiler(t)
	var snap snapshot
	first := sample(t, reference)
	// The public words of all are the same but for their values.
	models, samples := []*reusable.Model{first.Model}, []*reusable.Sample{first}
	for i := range 9 {
		shape := reference
		shape.Seed += uint64(i) + 1
		samples = append(samples, sample(t, shape))
		models = append(models, samples[i+1].Model)
	}

	artifact := solidity.Reusable(false)
	deployedReal, err := evm.DeployArtifact(artifact)
	if err != nil {
		t.Fatal(err)
	}
	snap.add("deployment", price{deployedReal.DeploymentGas, deployedReal.DeploymentGas})
	d := deployed(t)
	for _, m := range models {
		r := call(t, d, solidity.RegisterCalldata(m.VK))
		if r.Revert != nil {
			t.Fatal(r.Revert)
		}
		if m == models[0] {
			snap.add("registration, 1 commitment", price{r.ExecutionGas, r.TransactionGas})
		}
	}

	single := priced(t, d, solidity.EncodeVerify(first.Item), 1)
	curve := func(what string, item func(i int) solidity.Item, sizes ...int) (ten price) {
		for _, n := range sizes {
			items := make([]solidity.Item, n)
			for i := range items {
				items[i] = item(i)
			}
			p := priced(t, d, solidity.EncodeVerifyBatch(items), n)
			snap.add(fmt.Sprintf("%s, batch of %d, each", what, n), p)
			if n == 10 {
				ten = p
			}
		}
		return ten
	}
	snap.add("1 commitment, 29 words, single", single)
	one := curve("one model", func(int) solidity.Item { return first.BatchItem }, 1, 2, 3, 5, 10, 20, 50, 80)
	curve("one model, nothing appended", func(int) solidity.Item { return first.Item }, 2, 10)
	many := curve("ten models", func(i int) solidity.Item { return samples[i%10].BatchItem }, 10)

	curve("ten models, nothing appended", func(i int) solidity.Item { return samples[i%10].Item }, 10)

	// Other shapes, each beside gnark's contract for the same key.
	shapes := []*reusable.Sample{first}
	for c := range 4 {
		for _, words := range []int{1, 29, 200} {
			if c == 1 && words == 29 {
				continue
			}
			s := sample(t, reusable.Shape{Words: words, Commitments: c, Gates: 60, Seed: uint64(200 + c)})
			if r := call(t, d, solidity.RegisterCalldata(s.Model.VK)); r.Revert != nil {
				t.Fatal(r.Revert)
			}
			shapes = append(shapes, s)
		}
	}
	var list []*reusable.Model
	for _, s := range shapes {
		list = append(list, s.Model)
	}
	gnark, err := reusable.GnarkContracts(context.Background(), list)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range shapes {
		ours := priced(t, d, solidity.EncodeVerify(s.Item), 1)
		c := reusable.NewCall(s.Item)
		theirs := priced(t, gnark[i], reusable.EncodeGnark(c.Words, c.Proof), 1)
		name := fmt.Sprintf("%d commitments, %d words", s.Model.Shape.Commitments, s.Model.Shape.Words)
		snap.add(name, ours)
		snap.add(name+", gnark's contract", theirs)
		if ours.execution > theirs.execution+10_000 {
			t.Errorf("%s: %d gas, gnark's contract %d", name, ours.execution, theirs.execution)
		}
	}

	for _, limit := range []struct {
		name    string
		ten     price
		percent uint64
	}{{"ten proofs of one model", one, 50}, {"ten models", many, 65}} {
		if 100*limit.ten.execution > limit.percent*single.execution || 100*limit.ten.transaction > limit.percent*single.transaction {
			t.Errorf("%s: %+v each, more than %d %% of %+v", limit.name, limit.ten, limit.percent, single)
		}
	}
	snap.compare(t)
	t.Logf("                                             execution transaction\n%s", strings.Join(snap.lines, "\n"))
	figures.single, figures.ten = single.transaction, one.transaction
}

// compare compares the snapshot with the committed one, or records it with -update.
func (s *snapshot) compare(t *testing.T) {
	t.Helper()
	path := filepath.Join("testdata", "gas.txt")
	text := strings.Join(s.lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for i := 0; lines.Scan() || i < len(s.lines); i++ {
		if i >= len(s.lines) || !sameGas(lines.Text(), s.lines[i]) {
			t.Fatalf("gas differs from %s, line %d:\n%s\nmeasured now:\n%s\nIf it should, record it with -update.", path, i+1, lines.Text(), text)
		}
	}
}

// sameGas compares two lines of a snapshot.
func sameGas(a, b string) bool {
	split := func(line string) (name string, p price) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			return line, p
		}
		fmt.Sscan(fields[len(fields)-2], &p.execution)
		fmt.Sscan(fields[len(fields)-1], &p.transaction)
		return strings.Join(fields[:len(fields)-2], " "), p
	}
	nameA, priceA := split(a)
	nameB, priceB := split(b)
	difference := max(priceA.transaction, priceB.transaction) - min(priceA.transaction, priceB.transaction)
	return nameA == nameB && priceA.execution == priceB.execution && 200*difference <= priceA.transaction
}

// TestSizes holds the runtime codes below the largest size of a contract.
func TestSizes(t *testing.T) {
	for _, test := range []bool{false, true} {
		if a := solidity.Reusable(test); len(a.Runtime) == 0 || len(a.Runtime) > solidity.MaxRuntimeBytes {
			t.Errorf("%s: runtime of %d bytes, above %d", a.Name, len(a.Runtime), solidity.MaxRuntimeBytes)
		}
	}
}

// TestOpcodes says what the code can't do, whatever it is called with: call another
// contract than by STATICCALL, destroy itself, or write storage at more than the one
// place in register. And it needs no fork after Cancun.
func TestOpcodes(t *testing.T) {
	for _, test := range []bool{false, true} {
		a := solidity.Reusable(test)
		counts := map[vm.OpCode]int{}
		for i := 0; i < len(a.Runtime); i++ {
			op := vm.OpCode(a.Runtime[i])
			counts[op]++
			if op.IsPush() {
				i += int(op) - int(vm.PUSH0)
			}
		}
		for _, op := range []vm.OpCode{vm.CALL, vm.CALLCODE, vm.DELEGATECALL, vm.SELFDESTRUCT, vm.CREATE, vm.TSTORE, vm.TLOAD, vm.CLZ} {
			if counts[op] != 0 {
				t.Errorf("%s: %d times %v", a.Name, counts[op], op)
			}
		}
		if counts[vm.SSTORE] != 1 || counts[vm.CREATE2] != 1 {
			t.Errorf("%s: %d times SSTORE, %d times CREATE2, want once each", a.Name, counts[vm.SSTORE], counts[vm.CREATE2])
		}
	}
}
