package circuit

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/quantize"
)

// bindWords ties the tensors that are shown or hashed to the public words. Word 0, the
// context, is bound by being public. An element's offset value u = q − Lo is known to
// lie in [0, 2^Bits): inputs and weights are range-checked, outputs are confined by the
// constraints that compute them; so a word determines its elements, and a digest does
// as far as the hash has no collisions.
func (c *compiler) bindWords() {
	next := 1
	bind := func(p Public, id quantize.ID) {
		c.b.At(p.Name, "public words")
		switch t := c.tensors[id]; p.Visibility {
		case Shown:
			per := p.PerWord()
			for w := range p.Words() {
				c.bindWord(c.words[next+w], t[w*per:min((w+1)*per, len(t))], p)
			}
		case Hashed:
			c.bindDigest(c.words[next], c.salts[p.Name], len(t), p.Tag(), c.pack(p, t))
		}
		next += p.Words()
	}
	for i, p := range c.manifest.Inputs {
		bind(p, c.program.Inputs[i])
	}
	for i, p := range c.manifest.Outputs {
		bind(p, c.program.Outputs[i].ID)
	}
	if c.manifest.Weights != Hashed {
		return
	}
	c.b.At(WeightsName, "public words")
	params := paramsOf(c.program)
	var words []gadget.Expr
	count := 0
	for _, p := range params {
		words = append(words, c.pack(p.Public, c.tensors[p.id])...)
		count += len(c.tensors[p.id])
	}
	c.bindDigest(c.words[next], c.salts[WeightsName], count, weightsTag(params), words)
}

// bindWord asserts word = Σ (t_i − Lo)·2^(i·Bits): one row for each element but the
// first.
func (c *compiler) bindWord(word gadget.Expr, t []gadget.Expr, p Public) {
	last := len(t) - 1
	sum := c.packWord(t[:last], p)
	c.b.AssertSum(sum, digit(t[last], last, p), word.Times(-1))
}

// packWord returns Σ (t_i − Lo)·2^(i·Bits).
func (c *compiler) packWord(t []gadget.Expr, p Public) (sum gadget.Expr) {
	for i, x := range t {
		sum = c.b.Add(sum, digit(x, i, p))
	}
	return sum
}

// digit is element i of a word in its place.
func digit(x gadget.Expr, i int, p Public) gadget.Expr {
	return x.Plus(-p.Lo).Scale(gadget.Pow2(i * p.Bits))
}

// pack returns the words of a tensor that no one sees: one row for each element but
// the first of a word.
func (c *compiler) pack(p Public, t []gadget.Expr) []gadget.Expr {
	c.b.At(p.Name, "packed words")
	var words []gadget.Expr
	for per := p.PerWord(); len(t) > 0; t = t[min(per, len(t)):] {
		words = append(words, c.packWord(t[:min(per, len(t))], p))
	}
	return words
}

// bindDigest asserts that a public word is the digest of packed words, as
// [Public.Digest]: about 300 rows for each word and 900 more. The salt is a free wire.
// Nothing rests on its range or on which one it is: the words are bound because a
// prover who knew two openings of a digest, of whatever salts, would have a collision.
func (c *compiler) bindDigest(word, salt gadget.Expr, count int, tag fr.Element, words []gadget.Expr) {
	c.b.At(c.b.Region().Node, "digest")
	state := gadget.Expr{}
	for _, block := range append([]gadget.Expr{gadget.Constant(int64(count)), {Const: tag}, salt}, words...) {
		state = c.b.Hash(state, block)
	}
	c.b.AssertEqual(state, word)
}
