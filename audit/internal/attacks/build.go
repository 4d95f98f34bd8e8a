package attacks

import (
	"context"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// model is a small program whose circuit, public words, key and contract are made as for
// any other.
type model struct {
	name    string
	program func() (*quantize.Program, error)
	options circuit.Options
	inputs  [][]int64
}

// compile writes the model's circuit anew: the same one each time.
func (m *model) compile() (*circuit.Circuit, error) {
	p, err := m.program()
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.name, err)
	}
	o := m.options
	o.Model = m.name
	c, err := circuit.Compile(context.Background(), p, o)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.name, err)
	}
	return c, nil
}

// theContext is the context of every honest proof here.
var theContext = fr.NewElement(0xC0DE)

// victim is a model as its users have it, with one honest proof.
type victim struct {
	*model
	build
	circuit    *circuit.Circuit
	assignment *circuit.Assignment
	proof      *prover.Proof
}

// build is a pair of keys and, if somebody asked for it, the contract.
type build struct {
	pk       *prover.ProvingKey
	vk       *prover.VerifyingKey
	contract *evm.Verifier
	weights  fr.Element // the digest that the contract is bound to
}

// developmentStrings are the development strings by size.
var developmentStrings = map[int]*srs.SRS{}

// keys sets a circuit up under the development string.
func keys(c *circuit.Circuit) (build, error) {
	log := prover.DomainLog(c.System)
	if developmentStrings[log] == nil {
		s, err := srs.Development(log)
		if err != nil {
			return build{}, err
		}
		developmentStrings[log] = s
	}
	pk, vk, err := prover.Setup(c.System, c.Manifest, developmentStrings[log])
	return build{pk: pk, vk: vk}, err
}

// victim compiles a model, sets it up and proves it, once.
func (r *Runner) victim(m *model) (*victim, error) {
	if v := r.victims[m.name]; v != nil {
		return v, nil
	}
	c, err := m.compile()
	if err != nil {
		return nil, err
	}
	if bits := c.SoundnessBits(); bits < 100 {
		return nil, fmt.Errorf("model %s has a soundness error of 2^-%d", m.name, bits)
	}
	v := &victim{model: m, circuit: c}
	if v.build, err = keys(c); err != nil {
		return nil, err
	}
	if v.assignment, err = c.Assign(m.inputs, theContext); err != nil {
		return nil, err
	}
	if v.proof, err = v.prove(v.assignment); err != nil {
		return nil, err
	}
	if err := accepted(&v.build, v.proof); err != nil {
		return nil, fmt.Errorf("model %s: the honest proof: %w", m.name, err)
	}
	r.victims[m.name] = v
	return v, nil
}

// prove is the honest prover.
func (v *victim) prove(a *circuit.Assignment) (*prover.Proof, error) {
	return prover.Prove(context.Background(), v.circuit.System, v.pk, a.Witness, v.circuit.SolverOptions()...)
}

// allowDevelopment is what a verifier of a test expects: nothing.
var allowDevelopment = prover.Expectation{AllowDevelopmentSRS: true}

// accepted returns why Verify doesn't accept a proof.
func accepted(b *build, p *prover.Proof) error {
	_, err := prover.Verify(b.vk, p, allowDevelopment)
	return err
}

// errNotRejected says that an attack succeeded.
var errNotRejected = errors.New("NOT REJECTED")

// rejects returns an error unless Verify and, if contracts run, the contract reject a
// proof that states these words. It is said to be of the build's model whatever it was
// made for: that much a forger can write.
func (r *Runner) rejects(ctx context.Context, b *build, p *prover.Proof, what string) error {
	forged := *p
	forged.ModelID = b.vk.ModelID()
	forged.Values = nil
	if values, err := prover.DecodeWords(b.vk.Manifest(), forged.Words); err == nil {
		forged.Values = values
	}
	if err := rejected(accepted(b, &forged), what+", by Verify"); err != nil {
		return err
	}
	if !r.Contracts {
		return nil
	}
	for _, entry := range []solidity.Entry{solidity.Typed, solidity.Packed} {
		result, err := r.call(ctx, b, entry, &forged)
		switch {
		case errors.Is(err, prover.ErrRejected) || errors.Is(err, errNoEntry):
			continue // there is no calldata that says so
		case err != nil:
			return err
		case result.Revert == nil:
			return fmt.Errorf("%w: %s is accepted by the contract", errNotRejected, what)
		}
	}
	return nil
}

// accepts returns an error unless Verify and, if contracts run, the contract accept.
func (r *Runner) accepts(ctx context.Context, b *build, p *prover.Proof, what string) error {
	if err := accepted(b, p); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if !r.Contracts {
		return nil
	}
	result, err := r.call(ctx, b, solidity.Typed, p)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if result.Revert != nil {
		return fmt.Errorf("%s: the contract reverts: %w", what, result.Revert)
	}
	return nil
}

var errNoEntry = errors.New("the contract has no such entry")

// call runs a proof through the build's contract, which it deploys the first time.
func (r *Runner) call(ctx context.Context, b *build, entry solidity.Entry, p *prover.Proof) (*evm.Result, error) {
	if entry == solidity.Packed && !shows(b.vk.Manifest()) {
		return nil, errNoEntry
	}
	calldata, err := solidity.Calldata(b.vk, entry, p)
	if err != nil {
		return nil, err
	}
	if err := r.deploy(ctx, b, p); err != nil {
		return nil, err
	}
	return b.contract.Call(calldata)
}

// shows reports whether a model has a tensor in the clear.
func shows(m *circuit.Manifest) bool {
	for _, tensors := range [][]circuit.Public{m.Inputs, m.Outputs} {
		for _, p := range tensors {
			if p.Visibility == circuit.Shown {
				return true
			}
		}
	}
	return false
}

// deploy creates the build's contract for proofs about the weights of this one.
func (r *Runner) deploy(ctx context.Context, b *build, p *prover.Proof) error {
	o := options(b, p)
	if b.contract != nil && (o.WeightsDigest == nil || *o.WeightsDigest == b.weights) {
		return nil
	}
	var err error
	if b.contract, err = evm.Deploy(ctx, b.vk, o); err == nil && o.WeightsDigest != nil {
		b.weights = *o.WeightsDigest
	}
	return err
}

// options are those of the contract for proofs about the weights of this one.
func options(b *build, p *prover.Proof) solidity.Options {
	o := solidity.Options{AllowDevelopmentSRS: true, AllowUnboundWeights: true}
	if b.vk.Manifest().Weights == circuit.Hashed {
		o.WeightsDigest = &p.Words[len(p.Words)-1]
	}
	return o
}
