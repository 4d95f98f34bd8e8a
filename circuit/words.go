package circuit

import (
	"fmt"

	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/quantize"
)

// bindWords ties the shown tensors to the public words. Word 0, the context, is
// bound by being public. An element's offset value u = q − Lo is known to lie in
// [0, 2^Bits): inputs are range-checked, outputs are confined by the constraints
// that compute them; so a word determines its elements.
func (c *compiler) bindWords() error {
	next := 1
	bind := func(p Public, id quantize.ID) error {
		c.b.At(p.Name, "public words")
		words := p.Words()
		if p.Visibility != Shown {
			return fmt.Errorf("%s: visibility %v can't be compiled by this version", p.Name, p.Visibility)
		}
		t := c.tensors[id]
		per := p.PerWord()
		for w := range words {
			end := min((w+1)*per, len(t))
			c.bindWord(c.words[next+w], t[w*per:end], p)
		}
		next += words
		return nil
	}
	for i, p := range c.manifest.Inputs {
		if err := bind(p, c.program.Inputs[i]); err != nil {
			return err
		}
	}
	for i, p := range c.manifest.Outputs {
		if err := bind(p, c.program.Outputs[i].ID); err != nil {
			return err
		}
	}
	return nil
}

// bindWord asserts word = Σ (t_i − Lo)·2^(i·Bits): one row for each element but the
// first.
func (c *compiler) bindWord(word gadget.Expr, t []gadget.Expr, p Public) {
	var sum gadget.Expr
	for i, x := range t {
		digit := x.Plus(-p.Lo).Scale(gadget.Pow2(i * p.Bits))
		if i == len(t)-1 {
			c.b.AssertSum(sum, digit, word.Times(-1))
			return
		}
		sum = c.b.Add(sum, digit)
	}
}
