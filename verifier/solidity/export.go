package solidity

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	gnarksolidity "github.com/consensys/gnark/backend/solidity"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/atomicfile"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"comment":  comment,
	"literal":  literal,
	"code":     code,
	"hexLines": hexLines,
	"title":    func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
}).ParseFS(templateFiles, "templates/*"))

// Files is a project: contents by slash-separated path.
type Files map[string][]byte

// Paths returns the files' paths in order.
func (f Files) Paths() []string {
	paths := make([]string, 0, len(f))
	for path := range f {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	return paths
}

// Write writes the project into a directory, which it makes if need be. Files of
// the same names are replaced, each by all of the new one or not at all; others are
// left alone.
func (f Files) Write(dir string) error {
	for _, path := range f.Paths() {
		target := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return fmt.Errorf("writing the Foundry project: %w", err)
		}
		write := func(w io.Writer) error {
			_, err := w.Write(f[path])
			return err
		}
		if err := atomicfile.Write(target, 0o644, write); err != nil {
			return fmt.Errorf("writing the Foundry project: %w", err)
		}
	}
	return nil
}

// Options say which contracts a project has and what they are bound to.
type Options struct {
	// Standalone has the project verify with gnark's own contract, made for the one
	// key, instead of the reusable verifier in which the key is registered.
	Standalone bool
	// WeightsDigest is the digest that a statement's weights must have, for a model
	// with hashed weights; it comes from whoever knows the weights.
	WeightsDigest *fr.Element
	// AllowUnboundWeights permits a model with private weights, of which a proof says
	// only that there are some.
	AllowUnboundWeights bool
	// Template is the name of one of [Templates], whose contracts are added to the project;
	// empty for none.
	Template string
	// Sample is an accepted proof of the model. With it the project has tests.
	Sample *prover.Proof
	// AllowDevelopmentSRS permits a key of the development string, for which
	// everyone can forge proofs. The contracts then say so.
	AllowDevelopmentSRS bool
}

var (
	// ErrUnboundWeights refuses a contract for a model with private weights: its
	// proofs hold for any weights that the prover likes.
	ErrUnboundWeights = errors.New("the model's weights are private and bound to nothing")
	// ErrWeightsDigest is matched if a model with hashed weights comes without their
	// digest, or one without with it.
	ErrWeightsDigest = errors.New("weights' digest")
)

// check returns an error if the options don't go with the key.
func (o *Options) check(vk *prover.VerifyingKey) error {
	if vk.Development() && !o.AllowDevelopmentSRS {
		return srs.ErrDevelopment
	}
	if err := CheckUnbound(vk, *o); err != nil {
		return err
	}
	switch weights := vk.Manifest().Weights; {
	case weights == circuit.Hashed && o.WeightsDigest == nil:
		return fmt.Errorf("%w: the model has hashed weights, and any weights have some digest: say which is meant", ErrWeightsDigest)
	case weights != circuit.Hashed && o.WeightsDigest != nil:
		return fmt.Errorf("%w: the model's weights aren't hashed", ErrWeightsDigest)
	case weights == circuit.Hashed && o.Sample != nil && len(o.Sample.Words) > 0 && o.Sample.Words[len(o.Sample.Words)-1] != *o.WeightsDigest:
		return fmt.Errorf("%w: the sample proof is about other weights", prover.ErrRejected)
	}
	return nil
}

// CheckUnbound returns ErrUnboundWeights for a model with private weights without
// leave.
func CheckUnbound(vk *prover.VerifyingKey, o Options) error {
	if vk.Manifest().Weights == circuit.Private && !o.AllowUnboundWeights {
		return ErrUnboundWeights
	}
	return nil
}

// AdapterArguments returns the ABI-encoded arguments of the constructor of a project's
// ModelVerifier that isn't standalone: the reusable verifier's address and, with hashed
// weights, their digest.
func AdapterArguments(verifier [20]byte, weightsDigest *fr.Element) []byte {
	arguments := append(make([]byte, 12), verifier[:]...)
	if weightsDigest != nil {
		word := weightsDigest.Bytes()
		arguments = append(arguments, word[:]...)
	}
	return arguments
}

// Export returns the Foundry project that verifies a model's proofs. The same
// arguments give the same bytes. The error matches [srs.ErrDevelopment] for a
// development key without leave, [ErrUnboundWeights] and [ErrWeightsDigest] for
// weights that aren't bound, is a [*TemplateError] for a template that there isn't or that
// the model doesn't fit, and matches [prover.ErrRejected] or [prover.ErrMismatch] if the
// sample isn't an accepted proof of the key.
func Export(vk *prover.VerifyingKey, o Options) (Files, error) {
	if err := o.check(vk); err != nil {
		return nil, fmt.Errorf("exporting the verifier: %w", err)
	}
	v, err := newView(vk, o)
	if err != nil {
		return nil, fmt.Errorf("exporting the verifier: %w", err)
	}
	files := Files{}
	if v.Template != nil {
		c, err := newConsumerView(v, vk.Manifest())
		if err == nil {
			err = c.addTo(files)
		}
		if err != nil {
			return nil, fmt.Errorf("exporting the verifier: %w", err)
		}
	}
	wanted := map[string]string{
		"src/ModelVerifier.sol":  "ModelVerifier.sol",
		"src/IModelVerifier.sol": "IModelVerifier.sol",
		"script/Deploy.s.sol":    "Deploy.s.sol",
		"foundry.toml":           "foundry.toml",
		".solhint.json":          "solhint.json",
		"README.md":              "README.md",
	}
	if o.Standalone {
		var verifier bytes.Buffer
		if err := vk.Plonk().ExportSolidity(&verifier, gnarksolidity.WithPragmaVersion(SolcVersion)); err != nil {
			return nil, fmt.Errorf("exporting gnark's verifier: %w", err)
		}
		files["src/PlonkVerifier.sol"] = verifier.Bytes()
	} else {
		sources, _, err := ReusableSources()
		if err != nil {
			return nil, err
		}
		files["src/IZkmlVerifier.sol"] = sources["IZkmlVerifier.sol"]
		wanted["script/VerifyingKey.sol"] = "VerifyingKey.sol"
		wanted["script/VerifierCode.sol"] = "VerifierCode.sol"
	}
	if len(v.Tensors) > 0 {
		wanted["src/TensorCodec.sol"] = "TensorCodec.sol"
	}
	if len(v.Labelled) > 0 {
		wanted["src/Labels.sol"] = "Labels.sol"
	}
	if o.Sample != nil {
		wanted["test/Sample.sol"] = "Sample.sol"
		wanted["test/ModelVerifier.t.sol"] = "ModelVerifier.t.sol"
	}
	for path, name := range wanted {
		var text bytes.Buffer
		if err := templates.ExecuteTemplate(&text, name, v); err != nil {
			return nil, fmt.Errorf("exporting %s: %w", path, err)
		}
		files[path] = text.Bytes()
	}
	return files, nil
}
