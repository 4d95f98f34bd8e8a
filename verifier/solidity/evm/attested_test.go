package evm_test

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/internal/fixture"
)

// secondAttester is another attester.
var secondAttester = common.HexToAddress("0x3333333333333333333333333333333333333333")

// invented is a deployed template with a model that gives any answer to any digest: what
// the contracts make of answers is tried without networks.
type invented struct {
	*consumed
	manifest *circuit.Manifest
	function string
	nonce    uint64
	deadline uint64
}

// scoreModel has answers of both signs in twelfths.
func scoreModel() *circuit.Manifest {
	return &circuit.Manifest{
		Version: circuit.FormatVersion, Model: "score", Weights: circuit.Fixed,
		Inputs:  []circuit.Public{{Name: "features", Visibility: circuit.Hashed, Shape: tensor.Shape{1, 4}, Bits: 8, Scale: quantize.PowerOfTwo(0)}},
		Outputs: []circuit.Public{{Name: "score", Shape: tensor.Shape{1, 1}, Lo: -1000, Bits: 11, Scale: quantize.Scale{Num: 1, Den: 3, Exp: 2}}},
	}
}

// answerModel answers with 0 or 1.
func answerModel() *circuit.Manifest {
	m := scoreModel()
	m.Outputs[0] = circuit.Public{Name: "answer", Shape: tensor.Shape{1}, Bits: 1, Scale: quantize.PowerOfTwo(0)}
	return m
}

// invent deploys a template for a manifest, and appoints the attester.
func invent(t *testing.T, m *circuit.Manifest, template, contract, function string, arguments ...any) *invented {
	t.Helper()
	needCompiler(t)
	vk, _, err := fixture.Make(m, 1, make([]fr.Element, m.NbWords()))
	if err != nil {
		t.Fatal(err)
	}
	i := &invented{consumed: deployTemplate(t, vk, template, contract, arguments...), manifest: m, function: function, deadline: start + 365*day}
	i.send(registrar, start, i.pack("setAttester", attester, true))
	return i
}

// proven returns the call of alice with a proof that the model answers q to the digest.
func (i *invented) proven(digest uint64, q int64) []byte {
	i.t.Helper()
	i.nonce++
	answer, err := i.manifest.Outputs[0].Pack([]int64{q})
	if err != nil {
		i.t.Fatal(err)
	}
	words := append([]fr.Element{i.request(alice, i.nonce, i.deadline), fr.NewElement(digest)}, answer...)
	_, proof, err := fixture.Make(i.manifest, 1, words)
	if err != nil {
		i.t.Fatal(err)
	}
	return i.encode(fmt.Sprintf("%s(proof,uint256:%d,uint256:%d,tensors)", i.function, i.nonce, i.deadline), proof)
}

// attested returns the call by which an attester publishes alice's digest.
func (i *invented) attested(digest uint64) []byte {
	return i.pack("attest", alice, new(big.Int).SetUint64(digest))
}

// step has the attester vouch for a digest and alice prove an answer to it.
func (i *invented) step(by common.Address, time, digest uint64, q int64) {
	i.t.Helper()
	i.send(by, time, i.attested(digest))
	i.send(alice, time, i.proven(digest, q))
}

// lending is a policy under which scores from -50 to 50 deserve 10 % to 90 %.
func lending(step int64) policy {
	return policy{big.NewInt(1000), big.NewInt(9000), big.NewInt(step), ones(-50), ones(50), big.NewInt(30 * day)}
}

func lend(t *testing.T, maxAge *big.Int, p policy) *invented {
	t.Helper()
	return invent(t, scoreModel(), "lending", "LendingConsumer", "updateFactor", registrar, maxAge, p)
}

func (i *invented) expectFactor(time uint64, want int64) {
	i.t.Helper()
	if got := i.number(time, "collateralFactor", alice); got != want {
		i.t.Errorf("the factor is %d, want %d", got, want)
	}
}

// TestScores compares the factors that proven scores of both signs lead to with exact
// arithmetic.
func TestScores(t *testing.T) {
	forever := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	i := lend(t, forever, lending(10_000)) // an age without a limit is none that overflows
	for n, q := range []int64{-1000, -601, -600, -599, -7, -1, 0, 1, 5, 599, 600, 601, 1047} {
		i.step(attester, start, uint64(n)+1, q)
		// 1000 + 8000·(q/12 + 50)/100, rounded down, between 1000 and 9000. The score is
		// rounded towards zero at the 18th digit: never seen here.
		want := min(9000, max(1000, 1000+int64(math.Floor(float64(8000*(q+600))/1200))))
		i.expectFactor(start, want)
	}
}

// TestLendingStanding has a borrower try to keep a factor that its grounds have left.
func TestLendingStanding(t *testing.T) {
	i := lend(t, big.NewInt(7*day), lending(3000))
	const best, worst = 1000, -1000
	// A worse score lowers the factor, by a step, and doesn't make it last.
	i.step(attester, start, 1, best)
	i.step(attester, start, 2, best)
	i.expectFactor(start, 7000)
	i.step(attester, start+29*day, 3, worst)
	i.expectFactor(start+30*day, 4000)
	i.expectFactor(start+30*day+1, 1000)
	// One that deserves the factor does.
	i.step(attester, start+31*day, 4, best)
	i.step(attester, start+40*day, 5, best)
	i.expectFactor(start+62*day, 7000)

	// Another attester's word is no ground to go on from.
	now := uint64(start + 41*day)
	i.send(registrar, now, i.pack("setAttester", secondAttester, true))
	i.step(secondAttester, now, 6, best)
	i.expectFactor(now, 4000)
	i.step(attester, now, 7, best)
	i.expectFactor(now, 4000)
	i.endsWithTerm(now, func() {
		i.step(attester, now, 8, best)
		i.expectFactor(now, 4000)
	}, func() { i.expectFactor(now, 1000) })
}

// endsWithTerm checks that what the attester has vouched for, and what was proven of it,
// ends when the attester is dismissed and when it is withdrawn: renew proves something
// again, lost checks that nothing is left.
func (i *invented) endsWithTerm(now uint64, renew, lost func()) {
	i.t.Helper()
	appoint := func(appointed bool) { i.send(registrar, now, i.pack("setAttester", attester, appointed)) }
	withdrawal := i.pack("withdraw", alice)

	i.send(attester, now, i.attested(100))
	unused := i.proven(100, i.manifest.Outputs[0].Lo+1)
	i.repel(sends(alice, now, unused), attack{name: "attested by someone else", from: alice, time: now, calldata: i.proven(101, 1), reverts: "UnattestedInput"})
	appoint(true) // who is one already goes on
	i.repel(sends(alice, now, unused))
	appoint(false)
	lost()
	i.repel(sends(registrar, now, withdrawal),
		attack{name: "attested by one who is dismissed", from: alice, time: now, calldata: unused, reverts: "UnattestedInput"},
		attack{name: "the dismissed one attests", from: attester, time: now, calldata: i.attested(1), reverts: "NotAttester"},
		attack{name: "the dismissed one withdraws", from: attester, time: now, calldata: withdrawal, reverts: "NotAttester"},
	)
	appoint(true)
	lost()
	again := i.attested(100)
	i.repel(func(fork *consumed) {
		fork.send(attester, now, again)
		fork.send(alice, now, unused)
	}, attack{name: "attested in a term that is over", from: alice, time: now, calldata: unused, reverts: "UnattestedInput"})

	for _, by := range []common.Address{attester, registrar} {
		renew()
		i.send(attester, now, i.attested(102))
		withdrawn := i.proven(102, 1)
		i.send(registrar, now, i.pack("setAttester", secondAttester, true))
		i.repel(sends(alice, now, withdrawn),
			attack{name: "the subject withdraws", from: alice, time: now, calldata: withdrawal, reverts: "NotAttester"},
			attack{name: "another attester withdraws", from: secondAttester, time: now, calldata: withdrawal, reverts: "NotAttester"},
		)
		i.send(by, now, withdrawal)
		lost()
		i.repel(func(fork *consumed) {
			fork.send(attester, now, i.attested(102))
			fork.send(alice, now, withdrawn)
		}, attack{name: "withdrawn", from: alice, time: now, calldata: withdrawn, reverts: "UnattestedInput"})
	}
}

// TestEligibilityStanding has a subject try to stay eligible whose grounds are gone.
func TestEligibilityStanding(t *testing.T) {
	i := invent(t, answerModel(), "eligibility", "EligibilityConsumer", "check", registrar, big.NewInt(7*day), big.NewInt(1), big.NewInt(90*day))
	expect := func(time uint64, want bool) {
		t.Helper()
		if got := i.read(time, "isEligible", alice).(bool); got != want {
			t.Errorf("eligible: %v, want %v", got, want)
		}
	}
	expect(start, false)
	i.step(attester, start, 1, 1)
	expect(start+90*day, true)
	expect(start+90*day+1, false)
	i.step(attester, start, 2, 0)
	expect(start, false)
	i.step(attester, start, 3, 1)
	i.endsWithTerm(start, func() {
		i.step(attester, start, 4, 1)
		expect(start, true)
	}, func() { expect(start, false) })
}

// TestPolicies has constructors refuse what contradicts itself or would overflow later.
func TestPolicies(t *testing.T) {
	age := big.NewInt(day)
	one := func(bits uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), bits) }
	l := lend(t, age, lending(10))
	for name, change := range map[string]func(p *policy){
		"base above the greatest":    func(p *policy) { p.BaseFactor = big.NewInt(9001) },
		"all of the collateral":      func(p *policy) { p.MaxFactor = big.NewInt(10_000) },
		"no step":                    func(p *policy) { p.MaxStep = new(big.Int) },
		"scores the wrong way round": func(p *policy) { p.LowScore = ones(50) },
		"a score beyond all":         func(p *policy) { p.HighScore = one(191) },
		"a score below all":          func(p *policy) { p.LowScore = new(big.Int).Neg(one(255)) },
		"no time":                    func(p *policy) { p.Validity = new(big.Int) },
		"time beyond the clock":      func(p *policy) { p.Validity = one(64) },
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			p := lending(10)
			change(&p)
			l.refusesCreation("InvalidPolicy", l.adapterAddress(), registrar, age, p)
		})
	}
	l.t = t
	l.refusesCreation("NoRegistrar", l.adapterAddress(), common.Address{}, age, lending(10))
	widest := lending(10)
	widest.LowScore, widest.HighScore = new(big.Int).Neg(one(191)), new(big.Int).Sub(one(191), big.NewInt(1))
	if _, err := l.create(l.adapterAddress(), registrar, age, widest); err != nil {
		t.Error(err)
	}

	e := invent(t, answerModel(), "eligibility", "EligibilityConsumer", "check", registrar, age, big.NewInt(0), age)
	for _, yes := range []int64{-1, 2} {
		e.refusesCreation("InvalidPolicy", e.adapterAddress(), registrar, age, big.NewInt(yes), age)
	}
	e.refusesCreation("InvalidPolicy", e.adapterAddress(), registrar, age, big.NewInt(1), new(big.Int))
	e.refusesCreation("InvalidPolicy", e.adapterAddress(), registrar, age, big.NewInt(1), one(256-1))
}

// TestTemplateOfHiddenWeights has a template refuse the adapter of the model with other
// weights: the model id is that of its own.
func TestTemplateOfHiddenWeights(t *testing.T) {
	needCompiler(t)
	m := scoreModel()
	m.Weights = circuit.Hashed
	vk, _, err := fixture.Make(m, 1, make([]fr.Element, m.NbWords()))
	if err != nil {
		t.Fatal(err)
	}
	meant, others := fr.NewElement(11), fr.NewElement(12)
	o := solidity.Options{Template: "lending", WeightsDigest: &meant}
	c := deployTemplateWith(t, vk, o, "LendingConsumer", registrar, big.NewInt(day), lending(10))
	c.verifier = c.verifier.Fork()
	adapter, err := c.verifier.Create(append(append([]byte(nil), c.adapter.Creation...), solidity.AdapterArguments(c.verifier.Address, &others)...), c.adapter.ABI)
	if err != nil {
		t.Fatal(err)
	}
	c.refusesCreation("OtherWeights", adapter.Address, registrar, big.NewInt(day), lending(10))
}
