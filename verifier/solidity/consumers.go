package solidity

import (
	"bytes"
	"embed"
	"fmt"
	"math/big"
	"text/template"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
)

//go:embed consumers
var consumerFiles embed.FS

var consumers = template.Must(template.New("").Funcs(template.FuncMap{"comment": comment}).ParseFS(consumerFiles, "consumers/*"))

// Template is a contract that acts on a model's answers, which [Export] adds to a
// project for its owner to go on from.
type Template struct {
	// Name is how it is asked for.
	Name string
	// Contract is the contract's name.
	Contract string
	// Policy says in a line what it enforces, Needs what a model has to show and hide.
	Policy, Needs string
	// Call is the call that takes a proof, as [ParseCall] reads it but for the names of
	// shell variables in it.
	Call string

	files []string
	// prepare says what the contract takes from the model.
	prepare func(v *consumerView, m *circuit.Manifest) error
}

// Templates returns all templates.
func Templates() []Template {
	return []Template{
		{
			Name: "inference", Contract: "InferenceConsumer", prepare: takesAnything,
			Policy: "one proof for one chain, consumer, caller, nonce and deadline, taken once: the base of the others",
			Needs:  "any model",
			Call:   "submit(proof,uint256:$NONCE,uint256:$DEADLINE,tensors)",
		},
		{
			Name: "lending", Contract: "LendingConsumer", prepare: takesHashedInput, files: []string{"AttestedInputs.sol", "LendingConsumer.sol"},
			Policy: "a collateral factor follows a proven score of attested features, in bounded steps, for a limited time",
			Needs:  "one hashed input, one public output of one element",
			Call:   "updateFactor(proof,uint256:$NONCE,uint256:$DEADLINE,tensors)",
		},
		{
			Name: "eligibility", Contract: "EligibilityConsumer", prepare: takesHashedInput, files: []string{"AttestedInputs.sol", "EligibilityConsumer.sol"},
			Policy: "a public yes or no about hidden data that an attester registered before",
			Needs:  "one hashed input, one public output of one element",
			Call:   "check(proof,uint256:$NONCE,uint256:$DEADLINE,tensors)",
		},
		{
			Name: "tictactoe", Contract: "TicTacToeConsumer", prepare: takesBoard, files: []string{"TicTacToeConsumer.sol"},
			Policy: "a game whose house moves only as the network does: the contract packs the network's input itself",
			Needs:  "one public input and one public output of nine elements each, stones as 1, -1 and 0, fixed weights",
			Call:   "answer(uint256:$GAME,proof,tensors)",
		},
	}
}

// TemplateError says why a project can't have a template.
type TemplateError struct{ Template, Reason string }

// Error implements error.
func (e *TemplateError) Error() string {
	return fmt.Sprintf("template %q: %s", e.Template, e.Reason)
}

// templateNamed returns a template.
func templateNamed(name string) (*Template, error) {
	known := ""
	for _, t := range Templates() {
		if t.Name == name {
			return &t, nil
		}
		known += " " + t.Name
	}
	return nil, &TemplateError{name, "there is none of that name; there are:" + known}
}

// consumerView is what the templates' text is made from.
type consumerView struct {
	*view
	// Reals are the factors of the outputs' real values, by field.
	Reals map[string]ratio
	// Hashed and Shown are the model's input, Answer its output.
	Hashed, Shown, Answer *field
	// Stone is the integer of the real value 1 in the input, ElementBits the width of an
	// element in the byte encoding.
	Stone       int64
	ElementBits int
}

// ratio is a factor Num / Den in lowest terms.
type ratio struct{ Num, Den *big.Int }

// addConsumer adds the template's contracts to a project.
func addConsumer(files Files, v *view, m *circuit.Manifest) error {
	t, name := v.Template, v.Template.Name
	c := &consumerView{view: v, Reals: map[string]ratio{}}
	for _, f := range v.Outputs {
		var err error
		if c.Reals[f.Field], err = realFactor(f.Scale); err != nil {
			return &TemplateError{name, fmt.Sprintf("output %q: %v", f.Name, err)}
		}
	}
	if err := t.prepare(c, m); err != nil {
		return &TemplateError{name, err.Error()}
	}
	for _, file := range append([]string{"InferenceConsumer.sol"}, t.files...) {
		var text bytes.Buffer
		if err := consumers.ExecuteTemplate(&text, file, c); err != nil {
			return fmt.Errorf("exporting %s: %w", file, err)
		}
		files["src/"+file] = text.Bytes()
	}
	return nil
}

// realFactor returns what an integer is to be multiplied by to give 10^18 times its real
// value. An element is an int64, so that the product never overflows an int256.
func realFactor(s quantize.Scale) (ratio, error) {
	const limit = 1 << 10 // an exponent beyond it can't fit anyway
	if s.Exp > limit || s.Exp < -limit || s.Den == 0 {
		return ratio{}, fmt.Errorf("unit %v doesn't fit a word", s)
	}
	num := new(big.Int).Mul(new(big.Int).SetUint64(s.Num), big.NewInt(1e18))
	den := new(big.Int).SetUint64(s.Den)
	if s.Exp >= 0 {
		den.Lsh(den, uint(s.Exp))
	} else {
		num.Lsh(num, uint(-s.Exp))
	}
	if gcd := new(big.Int).GCD(nil, nil, num, den); gcd.Sign() > 0 {
		num.Quo(num, gcd)
		den.Quo(den, gcd)
	}
	if num.BitLen() > 190 || den.BitLen() > 190 {
		return ratio{}, fmt.Errorf("unit %v doesn't fit a word", s)
	}
	return ratio{num, den}, nil
}

func takesAnything(*consumerView, *circuit.Manifest) error { return nil }

// takesHashedInput wants a model of one hashed input whose answer is one number. A shown
// or private input beside it would be the prover's choice, and so would private weights.
func takesHashedInput(v *consumerView, m *circuit.Manifest) error {
	switch {
	case len(m.Inputs) != 1 || m.Inputs[0].Visibility != circuit.Hashed:
		return fmt.Errorf("the model needs exactly one input, and that hashed (compile --visibility NAME=hashed)")
	case len(m.Outputs) != 1 || m.Outputs[0].Visibility != circuit.Shown || m.Outputs[0].Shape.Size() != 1:
		return fmt.Errorf("the model needs exactly one output, public, of one element (compile --head makes one of scores)")
	case m.Weights == circuit.Private:
		return fmt.Errorf("the model's weights are private: whoever proves could choose them")
	}
	v.Hashed, v.Answer = &v.Tensors[0], &v.Outputs[0]
	return nil
}

// takesBoard wants a model that gives each of nine cells a score.
func takesBoard(v *consumerView, m *circuit.Manifest) error {
	const cells = 9
	nine := func(tensors []circuit.Public) bool {
		return len(tensors) == 1 && tensors[0].Visibility == circuit.Shown && tensors[0].Shape.Size() == cells
	}
	switch {
	case !nine(m.Inputs) || !nine(m.Outputs):
		return fmt.Errorf("the model needs one public input and one public output, of nine elements each")
	case m.Weights != circuit.Fixed:
		return fmt.Errorf("the model's weights are hidden: the game is with one network")
	}
	board := &v.Tensors[0]
	stone, ok := board.Scale.Quantize(1)
	if !ok || board.Scale.Real(stone) != 1 || board.Lo > -stone || stone > board.Lo+(1<<board.Bits-1) {
		return fmt.Errorf("input %q has no integers for 1 and -1 in its encoding", board.Name)
	}
	v.Shown, v.Answer, v.Stone, v.ElementBits = board, &v.Outputs[0], stone, 8*board.Width
	return nil
}
