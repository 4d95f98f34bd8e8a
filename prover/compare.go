package prover

import (
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"

	"github.com/zkml-go/zkml/circuit"
)

// Difference is something in which two verifying keys differ.
type Difference struct {
	What string `json:"what"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// String returns all of it in a line.
func (d Difference) String() string { return fmt.Sprintf("%s: %s, %s", d.What, d.A, d.B) }

// CompareKeys says in what two keys differ, for example one that was rebuilt from
// a model with one that came with a contract. They are the same key, with the same
// model id, if and only if there is nothing.
func CompareKeys(a, b *VerifyingKey) []Difference {
	var c comparison
	c.compare("reference string", a.SRSID(), b.SRSID())
	c.compare("program digest", fmt.Sprintf("%x", a.fields.programDigest), fmt.Sprintf("%x", b.fields.programDigest))
	c.manifests(&a.manifest, &b.manifest)
	c.compare("log2 of the domain", a.fields.log, b.fields.log)
	c.compare("public words", a.fields.nbWords, b.fields.nbWords)
	c.compare("commitment rows", a.fields.rows, b.fields.rows)
	for i := range a.fields.permutation {
		c.compare(fmt.Sprintf("permutation S%d", i+1), pointText(&a.fields.permutation[i]), pointText(&b.fields.permutation[i]))
	}
	for i, name := range []string{"Ql", "Qr", "Qm", "Qo", "Qk"} {
		c.compare("selector "+name, pointText(&a.fields.selectors[i]), pointText(&b.fields.selectors[i]))
	}
	for i := range min(len(a.fields.committed), len(b.fields.committed)) {
		c.compare(fmt.Sprintf("commitment selector %d", i), pointText(&a.fields.committed[i]), pointText(&b.fields.committed[i]))
	}
	return c.found
}

// comparison collects differences.
type comparison struct{ found []Difference }

// compare adds a difference if the values' texts differ.
func (c *comparison) compare(what string, a, b any) {
	if x, y := fmt.Sprint(a), fmt.Sprint(b); x != y {
		c.found = append(c.found, Difference{what, x, y})
	}
}

// pointText returns the encoding that the blob has, in hexadecimal.
func pointText(p *kzg.Digest) string { return fmt.Sprintf("%x", appendG1(nil, p)) }

// manifests compares what the public words mean.
func (c *comparison) manifests(a, b *circuit.Manifest) {
	c.compare("model name", fmt.Sprintf("%q", a.Model), fmt.Sprintf("%q", b.Model))
	c.compare("weights", a.Weights, b.Weights)
	for _, side := range []struct {
		name string
		a, b []circuit.Public
	}{{"input", a.Inputs, b.Inputs}, {"output", a.Outputs, b.Outputs}} {
		c.compare("number of "+side.name+"s", len(side.a), len(side.b))
		for i := range min(len(side.a), len(side.b)) {
			p, q, what := &side.a[i], &side.b[i], fmt.Sprintf("%s %d: ", side.name, i)
			c.compare(what+"name", fmt.Sprintf("%q", p.Name), fmt.Sprintf("%q", q.Name))
			c.compare(what+"visibility", p.Visibility, q.Visibility)
			c.compare(what+"shape", p.Shape, q.Shape)
			c.compare(what+"least value", p.Lo, q.Lo)
			c.compare(what+"bits", p.Bits, q.Bits)
			c.compare(what+"scale", p.Scale, q.Scale)
			if !slices.Equal(p.Labels, q.Labels) {
				c.found = append(c.found, Difference{what + "labels", fmt.Sprintf("%q", p.Labels), fmt.Sprintf("%q", q.Labels)})
			}
		}
	}
}
