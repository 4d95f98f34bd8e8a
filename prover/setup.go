package prover

import (
	"fmt"
	"math/bits"

	plonk "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover/srs"
)

// ProvingKey is what a prover needs besides the circuit: the verifying key and the
// structured reference string. One that was read from a file has no string until
// [ProvingKey.Attach].
type ProvingKey struct {
	vk      *VerifyingKey
	srsName string
	srs     *srs.SRS
}

// VerifyingKey returns the key that goes with this one.
func (pk *ProvingKey) VerifyingKey() *VerifyingKey { return pk.vk }

// SRSName says where the structured reference string comes from, for people.
func (pk *ProvingKey) SRSName() string { return pk.srsName }

// SRS returns the string that is attached, or nil.
func (pk *ProvingKey) SRS() *srs.SRS { return pk.srs }

// Attach gives the key its structured reference string, which must be the one of
// [VerifyingKey.SRSID] for a domain of 2^[VerifyingKey.Log] points.
func (pk *ProvingKey) Attach(s *srs.SRS) error {
	if want, got := pk.vk.SRSID(), s.ID(); got != want {
		return fmt.Errorf("%w: %s was made with %s (%s): this is %s (%s)", srs.ErrInvalid, provingKeyFile, want, pk.srsName, got, s.Name)
	}
	if err := checkSRS(s, pk.vk.Log()); err != nil {
		return err
	}
	pk.srs = s
	return nil
}

// plonk returns gnark's form of the key.
func (pk *ProvingKey) plonk() *plonk.ProvingKey {
	key := &plonk.ProvingKey{Vk: pk.vk.plonk}
	key.Kzg.G1 = pk.srs.Powers
	key.KzgLagrange.G1 = pk.srs.Lagrange
	return key
}

// checkSRS returns an error unless s is whole and for a domain of 2^log points.
func checkSRS(s *srs.SRS, log int) error {
	if s.Log != log {
		return fmt.Errorf("%w: the circuit needs a domain of 2^%d points: the string is for 2^%d", srs.ErrInvalid, log, s.Log)
	}
	if len(s.Powers) != 1<<log+3 || len(s.Lagrange) != 1<<log {
		return fmt.Errorf("%w: %d powers and %d Lagrange points for a domain of 2^%d points", srs.ErrInvalid, len(s.Powers), len(s.Lagrange), log)
	}
	return nil
}

// DomainLog returns the binary logarithm of the domain that a circuit needs: the
// next power of two of its rows, constraints and public words together.
func DomainLog(system constraint.ConstraintSystem) int {
	return max(1, bits.Len(uint(system.GetNbConstraints()+system.GetNbPublicVariables()-1)))
}

// sparse returns the system as what PLONK over BN254 proves.
func sparse(system constraint.ConstraintSystem) (*cs.SparseR1CS, error) {
	spr, ok := system.(*cs.SparseR1CS)
	if !ok {
		return nil, fmt.Errorf("constraint system is a %T: want a sparse one over BN254", system)
	}
	return spr, nil
}

// Setup commits to a circuit. The manifest says what its public words mean; the
// string must be for a domain of 2^[DomainLog] points. It costs 8 + c
// multi-scalar multiplications of the domain's size. The same arguments give the
// same keys on every machine.
func Setup(system constraint.ConstraintSystem, m *circuit.Manifest, s *srs.SRS) (*ProvingKey, *VerifyingKey, error) {
	spr, err := sparse(system)
	if err != nil {
		return nil, nil, fmt.Errorf("set up: %w", err)
	}
	if got, want := spr.GetNbPublicVariables(), m.NbWords(); got != want {
		return nil, nil, fmt.Errorf("set up: the circuit has %d public words: its manifest has %d", got, want)
	}
	if err := checkSRS(s, DomainLog(spr)); err != nil {
		return nil, nil, fmt.Errorf("set up: %w", err)
	}
	_, key, err := plonk.Setup(spr, s.Canonical(), s.InLagrangeForm())
	if err != nil {
		return nil, nil, fmt.Errorf("set up: %w", err)
	}
	vk, err := NewVerifyingKey(key, m)
	if err != nil {
		return nil, nil, fmt.Errorf("set up: %w", err)
	}
	return &ProvingKey{vk: vk, srsName: s.Name, srs: s}, vk, nil
}
