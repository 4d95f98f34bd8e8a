package solidity

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/prover"
)

// maxLabels is the largest number of classes that Labels.sol names.
const maxLabels = 1024

// view is what the templates see.
type view struct {
	Solc, EVM           string
	Runs, Version       int
	ModelName, ID       string
	NbWords, ProofBytes int
	// Tensors are all fields, Shapes the shown ones, Outputs the shown outputs,
	// Labelled the outputs with labels.
	Tensors, Shapes, Outputs, Labelled []field
	// Typed and Packed are the layouts of the two entries' calldata.
	Typed, Packed *layout
	WeightsNote   string
	// Weights is the field of the weights' digest, nil without one, and
	// WeightsDigest the digest that it must be.
	Weights       *field
	WeightsDigest string
	// Standalone says that gnark's contract verifies, not the reusable one; Key is
	// the canonical blob that the latter registers.
	Standalone bool
	Key        []byte
	// Reusable is the reusable verifier, ReusableHash the hash of its code and
	// ReusableAddress where it lies on every chain.
	Reusable                      Artifact
	ReusableHash, ReusableAddress string
	// Template is the template that the project has, nil for none.
	Template *Template
	// Development warns of a key that everyone can forge proofs for.
	Development bool
	Sample      *sampleView
}

// HasPacked reports whether there is a second entry: without elements it would be
// the same as the first.
func (v *view) HasPacked() bool { return len(v.Shapes) > 0 }

// HasOutputs reports whether there is an answer to return.
func (v *view) HasOutputs() bool { return len(v.Outputs) > 0 }

// Templates returns what there is to start from.
func (v *view) Templates() []Template { return Templates() }

// SubmitCall returns the call by which a proof is submitted to the project's template: a
// statement that holds nothing isn't an argument.
func (v *view) SubmitCall() string {
	if len(v.Tensors) == 0 {
		return strings.ReplaceAll(v.Template.Call, ",tensors", "")
	}
	return v.Template.Call
}

// Cheatcodes returns the types of the settings of the project's template, one of each.
func (v *view) Cheatcodes() (list []Setting) {
	if v.Template == nil {
		return nil
	}
	for _, s := range v.Template.Settings {
		if !slices.ContainsFunc(list, func(known Setting) bool { return known.Type == s.Type }) {
			list = append(list, s)
		}
	}
	return list
}

// AnswerLabels returns the names of the classes of the first output shown, if it has any.
func (v *view) AnswerLabels() []string {
	for _, f := range v.Labelled {
		if f.Field == v.Outputs[0].Field {
			return f.Labels
		}
	}
	return nil
}

// RealOf returns the real value of an element of an output shown.
func (v *view) RealOf(output int, q int64) float64 { return v.Outputs[output].Scale.Real(q) }

// FirstShown returns a shown tensor with at least one word, or nil.
func (v *view) FirstShown() *field {
	for i := range v.Shapes {
		if v.Shapes[i].Words() > 0 {
			return &v.Shapes[i]
		}
	}
	return nil
}

// sampleView is an accepted proof, each list parallel to the fields.
type sampleView struct {
	Context     string
	Proof       []byte
	Bytes       [][]byte
	Words       [][]string
	Digests     []string
	OutputsHash string
}

// Errors returns the interface that declares ProofRejected.
func (v *view) Errors() string {
	if v.Standalone {
		return "IModelVerifier"
	}
	return "IZkmlVerifier"
}

// Digests returns the digests that a statement holds and that nothing binds yet.
func (v *view) Digests() (list []field) {
	for _, f := range v.Tensors {
		if !f.Shown() && f.Role != "weights" {
			list = append(list, f)
		}
	}
	return list
}

func newView(vk *prover.VerifyingKey, o Options) (*view, error) {
	m, id := vk.Manifest(), vk.ModelID()
	v := &view{
		Solc: SolcVersion, EVM: EVMVersion, Runs: OptimizerRuns, Version: m.Version,
		ModelName: m.Model, ID: hex.EncodeToString(id[:]),
		NbWords: m.NbWords(), ProofBytes: proofBytes(vk),
		Tensors:     fieldsOf(m),
		WeightsNote: weightsNote(m.Weights),
		Development: vk.Development(),
		Standalone:  o.Standalone,
		Key:         vk.Blob(),
		Reusable:    Reusable(vk.Development()),
	}
	hash, address := keccak256(v.Reusable.Runtime), CreatedAddress(v.Reusable.Creation)
	v.ReusableHash, v.ReusableAddress = hex.EncodeToString(hash[:]), checksummed(address)
	for i, f := range v.Tensors {
		if f.Role == "weights" {
			v.Weights = &v.Tensors[i]
			v.WeightsDigest = wordText(*o.WeightsDigest)
		}
		if !f.Shown() {
			continue
		}
		v.Shapes = append(v.Shapes, f)
		if f.Role == "output" {
			v.Outputs = append(v.Outputs, f)
			if len(f.Labels) > 0 && len(f.Labels) <= maxLabels {
				v.Labelled = append(v.Labelled, f)
			}
		}
	}
	var err error
	if o.Template != "" {
		if v.Template, err = templateNamed(o.Template); err != nil {
			return nil, err
		}
	}
	if v.Typed, err = layoutOf(Typed, v.ProofBytes, v.Tensors); err != nil {
		return nil, err
	}
	if v.Packed, err = layoutOf(Packed, v.ProofBytes, v.Tensors); err != nil {
		return nil, err
	}
	if o.Sample != nil {
		if v.Sample, err = newSampleView(vk, v.Tensors, o.Sample); err != nil {
			return nil, fmt.Errorf("sample proof: %w", err)
		}
	}
	return v, nil
}

func newSampleView(vk *prover.VerifyingKey, fields []field, p *prover.Proof) (*sampleView, error) {
	if _, err := prover.Verify(vk, p, prover.Expectation{AllowDevelopmentSRS: true}); err != nil {
		return nil, err
	}
	proof, err := marshalProof(vk, p)
	if err != nil {
		return nil, err
	}
	s := &sampleView{Context: wordText(p.Words[0]), Proof: proof}
	var outputs [][]int64
	for _, f := range fields {
		words := f.words(p.Words)
		var data []byte
		var texts []string
		digest := ""
		if f.Shown() {
			values, err := f.Unpack(words)
			if err != nil {
				return nil, err
			}
			data = f.bytes(values)
			for _, word := range words {
				texts = append(texts, wordText(word))
			}
			if f.Role == "output" {
				outputs = append(outputs, values)
			}
		} else {
			digest = wordText(words[0])
		}
		s.Bytes = append(s.Bytes, data)
		s.Words = append(s.Words, texts)
		s.Digests = append(s.Digests, digest)
	}
	hash := keccak256(encodeOutputs(outputs))
	s.OutputsHash = hex.EncodeToString(hash[:])
	return s, nil
}

// wordText returns a word as a hexadecimal number of full length, which Solidity
// can't mistake for an address.
func wordText(word fr.Element) string {
	b := word.Bytes()
	return "0x" + hex.EncodeToString(b[:])
}

// hexLines returns bytes as a Solidity literal of 32 bytes a line.
func hexLines(indent string, data []byte) string {
	lines := []string{}
	for start := 0; start < len(data); start += 32 {
		lines = append(lines, fmt.Sprintf("%shex\"%x\"", indent, data[start:min(start+32, len(data))]))
	}
	if len(lines) == 0 {
		return indent + `hex""`
	}
	return strings.Join(lines, "\n")
}

// Describe says what the field holds in the byte encoding.
func (f field) Describe() string {
	switch {
	case f.Role == "weights":
		return "digest of the hidden weights"
	case !f.Shown():
		return fmt.Sprintf("digest of %s %s, shape %s", f.Role, comment(f.Name), f.ShapeText())
	}
	return fmt.Sprintf("%s %s, shape %s, %s: %s", f.Role, comment(f.Name), f.ShapeText(), f.solidityType(), count(f.Elements()*f.Width, "byte"))
}

// DescribePacked says what a shown field holds in the packed encoding.
func (f field) DescribePacked() string {
	return fmt.Sprintf("%s %s, shape %s, %d bits each, lo = %d: %s", f.Role, comment(f.Name), f.ShapeText(), f.Bits, f.Lo, count(f.Words(), "word"))
}

// DescribeValues says what a decoded field holds.
func (f field) DescribeValues() string {
	return fmt.Sprintf("%s %s, shape %s: %s", f.Role, comment(f.Name), f.ShapeText(), count(f.Elements(), "element"))
}

// count returns a number with its unit.
func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// ShapeText returns the shape as [1, 28, 28].
func (f field) ShapeText() string {
	dims := make([]string, len(f.Shape))
	for i, d := range f.Shape {
		dims[i] = fmt.Sprint(d)
	}
	return "[" + strings.Join(dims, ", ") + "]"
}
