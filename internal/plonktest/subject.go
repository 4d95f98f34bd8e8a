package plonktest

import (
	"fmt"
	"math/bits"
	"sync"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/scs"

	"github.com/zkml-go/zkml/prover/srs"
)

// Subject is a circuit with its key and a witness that satisfies it.
type Subject struct {
	System  *cs.SparseR1CS
	Key     *gnark.ProvingKey
	Witness witness.Witness
}

// New compiles a circuit, sets it up with the development string and assigns it.
func New(circuit, assignment frontend.Circuit) (*Subject, error) {
	system, err := compile(circuit)
	if err != nil {
		return nil, err
	}
	return setUp(system, assignment)
}

func compile(circuit frontend.Circuit) (*cs.SparseR1CS, error) {
	compiled, err := frontend.Compile(ecc.BN254.ScalarField(), scs.NewBuilder, circuit, frontend.IgnoreUnconstrainedInputs())
	if err != nil {
		return nil, err
	}
	return compiled.(*cs.SparseR1CS), nil
}

func setUp(system *cs.SparseR1CS, assignment frontend.Circuit) (*Subject, error) {
	s := &Subject{System: system}
	var err error
	if s.Key, err = Key(system); err != nil {
		return nil, err
	}
	s.Witness, err = frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	return s, err
}

// Key sets a circuit up with the development string.
func Key(system *cs.SparseR1CS) (*gnark.ProvingKey, error) {
	str, err := development(bits.Len(uint(system.GetNbConstraints() + len(system.Public) - 1)))
	if err != nil {
		return nil, err
	}
	key, _, err := gnark.Setup(system, str.Canonical(), str.InLagrangeForm())
	return key, err
}

// Rows returns the number of constraints and public words.
func (s *Subject) Rows() int { return s.System.GetNbConstraints() + len(s.System.Public) }

// Public returns the public words.
func (s *Subject) Public() fr.Vector { return s.Witness.Vector().(fr.Vector)[:len(s.System.Public)] }

// String says how large the circuit is.
func (s *Subject) String() string {
	return fmt.Sprintf("%d rows, %d public words, %d commitments", s.Rows(), len(s.System.Public), len(s.Key.Vk.Qcp))
}

// strings holds the development strings that were made, by the domain's logarithm.
var strings struct {
	sync.Mutex
	made map[int]*srs.SRS
}

func development(log int) (s *srs.SRS, err error) {
	strings.Lock()
	defer strings.Unlock()
	if s = strings.made[log]; s != nil {
		return s, nil
	}
	if s, err = srs.Development(log); err == nil {
		if strings.made == nil {
			strings.made = make(map[int]*srs.SRS)
		}
		strings.made[log] = s
	}
	return s, err
}
