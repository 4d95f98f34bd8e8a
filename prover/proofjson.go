package prover

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
)

// A proof's file, proof.json, is one JSON object with exactly these members:
//
//	format   "zkml-proof"
//	version  1
//	model    the model id
//	context  the first word
//	words    the public words
//	proof    the raw proof, 0x and hexadecimal
//	values   what the words mean, for reading only
//
// Ids and words are 0x and 64 hexadecimal digits in lower case.
const (
	proofFormat  = "zkml-proof"
	maxProofFile = 32 << 20
	maxJSONDepth = 8
)

// jsonProof is proof.json. Pointers tell what is missing.
type jsonProof struct {
	Format  string            `json:"format"`
	Version int               `json:"version"`
	Model   *ModelID          `json:"model"`
	Context *Word             `json:"context"`
	Words   []Word            `json:"words"`
	Proof   string            `json:"proof"`
	Values  []json.RawMessage `json:"values"`
}

// WriteTo writes proof.json, a line for each member and value.
func (p *Proof) WriteTo(w io.Writer) (int64, error) {
	words := make([]Word, len(p.Words))
	for i := range p.Words {
		words[i] = Word(p.Words[i])
	}
	var b bytes.Buffer
	for i, member := range []struct {
		name  string
		value any
	}{
		{"format", proofFormat},
		{"version", circuit.FormatVersion},
		{"model", p.ModelID},
		{"context", Word(p.Context())},
		{"words", words},
		{"proof", "0x" + hex.EncodeToString(p.Raw)},
	} {
		text, err := json.Marshal(member.value)
		if err != nil {
			return 0, fmt.Errorf("write %s: %w", proofFile, err)
		}
		fmt.Fprintf(&b, "%s\n  %q: %s", [...]string{"{", ","}[min(i, 1)], member.name, text)
	}
	b.WriteString(",\n  \"values\": [")
	for i := range p.Values {
		text, err := json.Marshal(&p.Values[i])
		if err != nil {
			return 0, fmt.Errorf("write %s: %w", proofFile, err)
		}
		fmt.Fprintf(&b, "%s\n    %s", [...]string{"", ","}[min(i, 1)], text)
	}
	b.WriteString("\n  ]\n}\n")
	return b.WriteTo(w)
}

// ReadProof reads proof.json, all of r. The error matches [ErrRejected] if it isn't
// one: other members, a member twice, anything after the object, a word that isn't
// below the modulus, a raw proof of another length or with points off the curve.
func ReadProof(r io.Reader) (*Proof, error) {
	b, err := readLimited(r, maxProofFile)
	if err != nil {
		return nil, rejectedf("%s: %w", proofFile, err)
	}
	p, err := parseProof(b)
	if err != nil {
		return nil, rejectedf("%s: %w", proofFile, err)
	}
	return p, nil
}

func parseProof(b []byte) (*Proof, error) {
	var read jsonProof
	if err := unmarshalStrictly(b, &read, ""); err != nil {
		return nil, err
	}
	if read.Format != proofFormat || read.Version != circuit.FormatVersion {
		return nil, fmt.Errorf("format %.80q version %d: this program reads %q version %d", read.Format, read.Version, proofFormat, circuit.FormatVersion)
	}
	if read.Model == nil || read.Context == nil || len(read.Words) == 0 {
		return nil, errors.New("model, context or words are missing")
	}
	if *read.Context != read.Words[0] {
		return nil, errors.New("the context isn't the first word")
	}
	if len(read.Values) > 2*circuit.MaxTensors+1 {
		return nil, fmt.Errorf("%d values", len(read.Values))
	}
	p := &Proof{ModelID: *read.Model, Words: make([]fr.Element, len(read.Words))}
	for i, w := range read.Words {
		p.Words[i] = fr.Element(w)
	}
	for i, raw := range read.Values {
		var v Value
		if err := unmarshalStrictly(raw, &v, ""); err != nil {
			return nil, fmt.Errorf("value %d: %w", i, err)
		}
		p.Values = append(p.Values, v)
	}
	digits, ok := strings.CutPrefix(read.Proof, "0x")
	if !ok || strings.ToLower(digits) != digits || len(digits) > 2*RawSize(maxCommitments) {
		return nil, errors.New("proof: want 0x and hexadecimal digits in lower case")
	}
	var err error
	if p.Raw, err = hex.DecodeString(digits); err != nil {
		return nil, errors.New("proof: want 0x and hexadecimal digits in lower case")
	}
	// A number of commitments that doesn't fit gives a length that doesn't.
	if _, err := ParseRaw(p.Raw, max(0, len(p.Raw)-RawSize(0))/96); err != nil {
		return nil, err
	}
	return p, nil
}

// unmarshalStrictly decodes one JSON value, all of b. Unlike encoding/json it
// refuses unknown members, members in another case, a member twice, invalid UTF-8,
// deep nesting and anything after the value.
//
// Objects have the members of a struct, whose names are in lower case; only the one
// that is the outermost object's member free, if free isn't empty, is a map with names
// of any kind.
func unmarshalStrictly(b []byte, v any, free string) error {
	if !utf8.Valid(b) {
		return errors.New("not UTF-8")
	}
	tokens := json.NewDecoder(bytes.NewReader(b))
	tokens.UseNumber()
	if err := checkMembers(tokens, 0, free, false); err != nil {
		return err
	}
	if _, err := tokens.Token(); err != io.EOF {
		return errors.New("something follows the JSON value")
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	return decoder.Decode(v)
}

// checkMembers reads one value and checks the names in its objects; those in a map may
// be any.
func checkMembers(tokens *json.Decoder, depth int, free string, isMap bool) error {
	token, err := tokens.Token()
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxJSONDepth {
		return fmt.Errorf("nested more than %d deep", maxJSONDepth)
	}
	seen := make(map[string]bool)
	for tokens.More() {
		isFree := false
		if open == '{' {
			name, err := tokens.Token()
			if err != nil {
				return fmt.Errorf("not JSON: %w", err)
			}
			text := name.(string)
			if !isMap && (strings.ToLower(text) != text || len(text) > 64) {
				return fmt.Errorf("unknown member %.80q", text)
			}
			if seen[text] {
				return fmt.Errorf("member %q is there twice", text)
			}
			seen[text] = true
			isFree = depth == 0 && free != "" && text == free
		}
		if err := checkMembers(tokens, depth+1, free, isFree); err != nil {
			return err
		}
	}
	if _, err := tokens.Token(); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return nil
}
