package solidity

import (
	"bytes"
	"embed"
	"fmt"
	"math/big"
	"slices"
	"strings"
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
	// Policy says in a line what it enforces, Needs what a model has to show and hide, and
	// Compile how a model comes to do so.
	Policy, Needs, Compile string
	// Call is the call that takes a proof, as [ParseCall] reads it but for the names of
	// shell variables in it.
	Call string
	// Settings are what its constructor takes besides the adapter, in this order.
	Settings []Setting

	files []string
	// prepare says what the contract takes from the model.
	prepare func(v *consumerView, m *circuit.Manifest) error
}

// Bases returns the contracts that the template's is derived from.
func (t *Template) Bases() []string {
	bases := []string{"InferenceConsumer"}
	for _, file := range t.files {
		if name := strings.TrimSuffix(file, ".sol"); name != t.Contract {
			bases = append(bases, name)
		}
	}
	return bases
}

// Setting is an argument of a template's constructor, which the project's script reads from
// an environment variable.
type Setting struct {
	// Variable is the environment variable's name, Type the argument's in Solidity.
	Variable, Type string
	// Meaning says in a line what it is.
	Meaning string
}

// Cheatcode returns the function of Foundry's that reads the setting.
func (s Setting) Cheatcode() string {
	switch s.Type {
	case "address":
		return "envAddress"
	case "int256":
		return "envInt"
	}
	return "envUint"
}

// attested are the settings of the templates whose inputs are attested.
var attested = []Setting{
	{"REGISTRAR", "address", "who appoints and dismisses attesters"},
	{"MAX_AGE", "uint256", "for how many seconds an attestation is good"},
}

// Templates returns all templates.
func Templates() []Template {
	return []Template{
		{
			Name: "inference", Contract: "LastAnswer", prepare: takesAnything, files: []string{"LastAnswer.sol"},
			Policy: "one proof for one chain, consumer, caller, nonce and deadline, taken once: the base of the others",
			Needs:  "any model",
			Call:   "submit(proof,uint256:$NONCE,uint256:$DEADLINE,tensors)",
		},
		{
			Name: "lending", Contract: "LendingConsumer", prepare: takesScore, files: []string{"AttestedInputs.sol", "LendingConsumer.sol"},
			Policy:  "a collateral factor follows a proven score of attested features, in bounded steps, for a limited time",
			Needs:   "one hashed input, one public output of one element, weights fixed or hashed",
			Compile: "zkml compile score.onnx --visibility features=hashed",
			Call:    "updateFactor(proof,uint256:$NONCE,uint256:$DEADLINE,tensors)",
			Settings: append(slices.Clone(attested),
				Setting{"BASE_FACTOR", "uint256", "the factor of who has proven nothing, in basis points"},
				Setting{"MAX_FACTOR", "uint256", "the factor that the best score leads to, in basis points below 10000"},
				Setting{"MAX_STEP", "uint256", "how far one attested score moves a factor, in basis points"},
				Setting{"LOW_SCORE", "int256", "the score, times 10^18, that deserves no more than BASE_FACTOR"},
				Setting{"HIGH_SCORE", "int256", "the score, times 10^18, that deserves MAX_FACTOR"},
				Setting{"VALIDITY", "uint256", "for how many seconds a factor is good"}),
		},
		{
			Name: "eligibility", Contract: "EligibilityConsumer", prepare: takesAnswer, files: []string{"AttestedInputs.sol", "EligibilityConsumer.sol"},
			Policy:  "a public yes or no about hidden data that an attester registered before",
			Needs:   "one hashed input, one public output of one element that takes two values, weights fixed or hashed",
			Compile: "zkml compile check.onnx --visibility features=hashed --head threshold=0.5",
			Call:    "check(proof,uint256:$NONCE,uint256:$DEADLINE,tensors)",
			Settings: append(slices.Clone(attested),
				Setting{"YES", "int256", "the answer that means yes"},
				Setting{"VALIDITY", "uint256", "for how many seconds a yes is good"}),
		},
		{
			Name: "tictactoe", Contract: "TicTacToeConsumer", prepare: takesBoard, files: []string{"TicTacToeConsumer.sol"},
			Policy:   "a game whose house moves only as the network does: the contract packs the network's input itself",
			Needs:    "one public input and one public output of nine elements each, for the cells row by row: 1 for a stone of the side to move, -1 for the other's and 0 go in, scores come out; weights fixed",
			Compile:  "zkml compile tictactoe.onnx",
			Call:     "answer(uint256:$GAME,proof,tensors)",
			Settings: []Setting{{"TURN_SECONDS", "uint256", "for how many seconds a side may think"}},
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
	// Storable says that there are outputs, and few enough to be kept in storage.
	Storable bool
	// Stone is the integer of the real value 1 in the input, ElementBits the width of an
	// element in the byte encoding.
	Stone       int64
	ElementBits int
}

// ratio is a factor Num / Den in lowest terms.
type ratio struct{ Num, Den *big.Int }

// newConsumerView returns what the text of the project's template is made from, or a
// *TemplateError if the model doesn't fit it.
func newConsumerView(v *view, m *circuit.Manifest) (*consumerView, error) {
	t, name := v.Template, v.Template.Name
	c := &consumerView{view: v, Reals: map[string]ratio{}}
	// Each element is a word of storage, at some 22,000 gas.
	const maxStored = 64
	elements := 0
	for _, f := range v.Outputs {
		var err error
		elements += f.Elements()
		if c.Reals[f.Field], err = realFactor(f.Scale); err != nil {
			return nil, &TemplateError{name, fmt.Sprintf("output %q: %v", f.Name, err)}
		}
	}
	c.Storable = len(v.Outputs) > 0 && elements <= maxStored
	if err := t.prepare(c, m); err != nil {
		return nil, &TemplateError{name, err.Error()}
	}
	return c, nil
}

// addTo adds the template's contracts to a project.
func (c *consumerView) addTo(files Files) error {
	for _, file := range append([]string{"InferenceConsumer.sol"}, c.Template.files...) {
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

// takesScore wants a model of one hashed input whose answer is one number. A shown or
// private input beside it would be the prover's choice, and so would private weights.
func takesScore(v *consumerView, m *circuit.Manifest) error {
	switch {
	case len(m.Inputs) != 1 || m.Inputs[0].Visibility != circuit.Hashed:
		return fmt.Errorf("the model needs exactly one input, and that hashed (compile --visibility NAME=hashed); it has %s", described("input", m.Inputs))
	case len(m.Outputs) != 1 || m.Outputs[0].Visibility != circuit.Shown || m.Outputs[0].Shape.Size() != 1:
		return fmt.Errorf("the model needs exactly one output, public, of one element (compile --head makes one of scores); it has %s", described("output", m.Outputs))
	case m.Weights == circuit.Private:
		return fmt.Errorf("the model's weights are private: whoever proves could choose them")
	}
	v.Hashed, v.Answer = &v.Tensors[0], &v.Outputs[0]
	return nil
}

// takesAnswer wants a model of one hashed input whose answer is one of two: of more, a
// proof of yes or no would say which.
func takesAnswer(v *consumerView, m *circuit.Manifest) error {
	if err := takesScore(v, m); err != nil {
		return err
	}
	if answer := &m.Outputs[0]; answer.Bits > 1 {
		return fmt.Errorf("the model answers with more than yes or no: output %q has %d bits, and everyone sees them (compile --head argmax of two classes, or --head threshold=T, makes one bit of it)", answer.Name, answer.Bits)
	}
	return nil
}

// described says what tensors there are, a few of them.
func described(role string, tensors []circuit.Public) string {
	if len(tensors) == 0 {
		return "no " + role
	}
	var list []string
	for i, p := range tensors {
		if i == 3 {
			list = append(list, fmt.Sprintf("… (%d in all)", len(tensors)))
			break
		}
		list = append(list, fmt.Sprintf("%s %q, %v, of shape %v", role, p.Name, p.Visibility, p.Shape))
	}
	return strings.Join(list, ", ")
}

// takesBoard wants a model that gives each of nine cells a score.
func takesBoard(v *consumerView, m *circuit.Manifest) error {
	const cells = 9
	nine := func(tensors []circuit.Public) bool {
		return len(tensors) == 1 && tensors[0].Visibility == circuit.Shown && tensors[0].Shape.Size() == cells
	}
	switch {
	case !nine(m.Inputs) || !nine(m.Outputs):
		return fmt.Errorf("the model needs one public input and one public output, of nine elements each; it has %s and %s", described("input", m.Inputs), described("output", m.Outputs))
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
