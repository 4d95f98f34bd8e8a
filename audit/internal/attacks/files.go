package attacks

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	plonk "github.com/consensys/gnark/backend/plonk/bn254"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/verifier/solidity"
)

const calldata = "FACTS: non-canonical or oversized calldata and public inputs ≥ the field modulus"

// fileAttacks give a verifier keys and files of the forger's making.
func fileAttacks() []*Attack {
	return []*Attack{
		{Name: "a public word and the modulus in proof.json", Source: calldata, Stop: "ReadProof", run: wordBeyondModulus},
		{Name: "a proof with bytes after its end", Source: calldata, Stop: "ParseRaw", run: longProof},
		{Name: "a value and the modulus in a raw proof", Source: calldata, Stop: "ParseRaw", run: valueBeyondModulus},
		{Name: "a key with another string's pairing lines", Source: "§7", Stop: "the lines' recomputation", run: foreignLines},
		{Name: "a key with a scaled pair of G2", Source: "§7", Stop: "the standard generator", run: scaledPair},
		{Name: "a key that everyone can forge proofs for", Source: "§7", Stop: "AllowDevelopmentSRS", run: developmentKey},
		{Name: "a weakened build's key beside its proof", Source: "§7", Stop: "Expectation.ModelID", run: ownKey},
	}
}

// wordBeyondModulus writes a word as itself plus the modulus. A reader that reduces it
// would read the same proof from another file.
func wordBeyondModulus(_ context.Context, r *Runner) error {
	v, err := r.victim(rounded)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if _, err := v.proof.WriteTo(&file); err != nil {
		return err
	}
	if _, err := prover.ReadProof(bytes.NewReader(file.Bytes())); err != nil {
		return fmt.Errorf("the honest file: %w", err)
	}
	word := v.proof.Words[2].Bytes()
	beyond := new(big.Int).SetBytes(word[:])
	beyond.Add(beyond, fr.Modulus())
	var reduced fr.Element
	if reduced.SetBytes(beyond.FillBytes(make([]byte, 32))); !reduced.Equal(&v.proof.Words[2]) {
		return errors.New("a reader that reduces reads another word")
	}
	spoiled := bytes.Replace(file.Bytes(), []byte(hex.EncodeToString(word[:])), fmt.Appendf(nil, "%064x", beyond), 1)
	_, err = prover.ReadProof(bytes.NewReader(spoiled))
	return rejected(err, "a word beyond the modulus")
}

// longProof puts bytes after a proof, which gnark's reader doesn't look at.
func longProof(_ context.Context, r *Runner) error {
	v, err := r.victim(rounded)
	if err != nil {
		return err
	}
	forged := *v.proof
	forged.Raw = append(slices.Clone(forged.Raw), 1, 2, 3)
	var lax plonk.Proof
	if _, err := lax.ReadFrom(bytes.NewReader(forged.Raw)); err != nil {
		return fmt.Errorf("gnark's reader: %w", err)
	}
	if err := plonk.Verify(&lax, v.vk.Plonk(), v.proof.Words); err != nil {
		return fmt.Errorf("gnark's verifier: %w", err)
	}
	return rejected(accepted(&v.build, &forged), "a proof with more bytes")
}

// valueBeyondModulus writes the last claimed value of a proof as itself plus the modulus.
func valueBeyondModulus(_ context.Context, r *Runner) error {
	v, err := r.victim(rounded)
	if err != nil {
		return err
	}
	forged := *v.proof
	forged.Raw = slices.Clone(forged.Raw)
	// before the count of commitments and the commitments: Z(ωζ)
	at := len(forged.Raw) - 4 - 64*v.vk.NbCommitments() - fr.Bytes
	value := forged.Raw[at:][:fr.Bytes]
	beyond := new(big.Int).SetBytes(value)
	beyond.Add(beyond, fr.Modulus()).FillBytes(value)
	var reduced fr.Element
	reduced.SetBytes(value)
	honest, err := prover.ParseRaw(v.proof.Raw, v.vk.NbCommitments())
	if err != nil {
		return err
	}
	if !reduced.Equal(&honest.ZShiftedOpening.ClaimedValue) {
		return errors.New("a reader that reduces reads another value")
	}
	return rejected(accepted(&v.build, &forged), "a value beyond the modulus")
}

// foreignLines shows one [τ]₂ and has the pairing's lines of the development string's, in
// the form in which gnark writes a key.
func foreignLines(ctx context.Context, r *Runner) error {
	v, err := r.victim(rounded)
	if err != nil {
		return err
	}
	shown := *v.vk.Plonk()
	_, _, _, g2 := bn254.Generators()
	shown.Kzg.G2[1].ScalarMultiplication(&g2, big.NewInt(12345))
	var file bytes.Buffer
	if _, err := shown.WriteTo(&file); err != nil {
		return err
	}
	var read plonk.VerifyingKey
	if _, err := read.ReadFrom(bytes.NewReader(file.Bytes())); err != nil {
		return err
	}
	proof, err := prover.ParseRaw(v.proof.Raw, v.vk.NbCommitments())
	if err != nil {
		return err
	}
	if err := plonk.Verify(proof, &read, v.proof.Words); err != nil {
		return fmt.Errorf("with gnark's key: %w", err)
	}
	if _, err := prover.ReadVerifyingKey(&file); !errors.Is(err, prover.ErrMismatch) {
		return fmt.Errorf("%w: gnark's form of a key is read: %v", errNotRejected, err)
	}
	vk, err := prover.NewVerifyingKey(&read, v.vk.Manifest())
	if err != nil {
		return err
	}
	return r.rejects(ctx, &build{vk: vk}, v.proof, "a proof under foreign lines")
}

// scaledPair takes ([7]₂, [7τ]₂) for ([1]₂, [τ]₂): the same proofs hold, and nobody
// recognises the development string.
func scaledPair(ctx context.Context, r *Runner) error {
	v, err := r.victim(rounded)
	if err != nil {
		return err
	}
	scaled := *v.vk.Plonk()
	for i := range scaled.Kzg.G2 {
		scaled.Kzg.G2[i].ScalarMultiplication(&scaled.Kzg.G2[i], big.NewInt(7))
		scaled.Kzg.Lines[i] = bn254.PrecomputeLines(scaled.Kzg.G2[i])
	}
	proof, err := prover.ParseRaw(v.proof.Raw, v.vk.NbCommitments())
	if err != nil {
		return err
	}
	if err := plonk.Verify(proof, &scaled, v.proof.Words); err != nil {
		return fmt.Errorf("with gnark's key: %w", err)
	}
	if _, err := prover.NewVerifyingKey(&scaled, v.vk.Manifest()); !errors.Is(err, prover.ErrMismatch) {
		return fmt.Errorf("%w: a key with another generator: %v", errNotRejected, err)
	}
	// A key's file has room for [7τ]₂ only.
	var file bytes.Buffer
	if _, err := v.vk.WriteTo(&file); err != nil {
		return err
	}
	honest, forged := srs.EncodeG2(&v.vk.Plonk().Kzg.G2[1]), srs.EncodeG2(&scaled.Kzg.G2[1])
	vk, err := prover.ReadVerifyingKey(bytes.NewReader(bytes.Replace(file.Bytes(), honest[:], forged[:], 1)))
	if err != nil {
		return err
	}
	if vk.Development() {
		return errors.New("the scaled key shows the development string")
	}
	return r.rejects(ctx, &build{vk: vk}, v.proof, "a proof under a scaled pair")
}

// developmentKey gives a verifier a key of the development string.
func developmentKey(_ context.Context, r *Runner) error {
	v, err := r.victim(rounded)
	if err != nil {
		return err
	}
	if err := accepted(&v.build, v.proof); err != nil {
		return fmt.Errorf("where it is allowed: %w", err)
	}
	if _, err := prover.Verify(v.vk, v.proof, prover.Expectation{}); !errors.Is(err, prover.ErrSRS) {
		return fmt.Errorf("%w: a development key: %v", errNotRejected, err)
	}
	if _, err := solidity.Export(v.vk, solidity.Options{}); !errors.Is(err, prover.ErrSRS) {
		return fmt.Errorf("%w: a contract for a development key: %v", errNotRejected, err)
	}
	return nil
}

// ownKey is a proof of a false answer and the key under which it holds, side by side.
func ownKey(ctx context.Context, r *Runner) error {
	v, err := r.victim(rounded)
	if err != nil {
		return err
	}
	a := &forgery{model: rounded, lie: lie{words: freeAnswer}}
	rows := v.circuit.System.GetSparseR1Cs()
	f, err := a.forger(rows, nil)
	if err != nil {
		return err
	}
	words, values, err := a.state(v, f)
	if err != nil {
		return err
	}
	broken := f.broken(v.circuit, values)
	b, forged, err := a.control(ctx, r, v, rows, words, func(w *weakened) error { return w.without(broken) })
	if err != nil {
		return err
	}
	id := v.vk.ModelID()
	if _, err := prover.Verify(b.vk, forged, prover.Expectation{AllowDevelopmentSRS: true, ModelID: &id}); !errors.Is(err, prover.ErrMismatch) {
		return fmt.Errorf("%w: a key of the forger's own: %v", errNotRejected, err)
	}
	return r.rejects(ctx, &v.build, forged, "the proof under the pinned key")
}
