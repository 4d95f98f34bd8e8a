package prover

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// TestExpect checks each text against the proof of a case.
func TestExpect(t *testing.T) {
	a := cases[1]()
	for _, test := range []struct {
		name, text string
		want       error // of Verify
		wrong      string
	}{
		{name: "out", text: "12382.25"},
		{name: "out", text: " 1238225e-2 "},
		{name: "out", text: "12382.3125", want: ErrRejected},
		{name: "out", text: "12382.3", wrong: "nearest is 12382.3125"},
		{name: "out", text: "1,2", wrong: "2 found"},
		{name: "out", text: "high", wrong: "neither a label nor a number"},
		{name: "out", text: "NaN", wrong: "neither a label nor a number"},
		{name: "out", text: "1e300", wrong: "out of range"},
		{name: "in", text: "0.00392156862745098,0.00784313725490196,0.011764705882352941"},
		{name: "in", text: "0,0.00784313725490196,0.011764705882352941", want: ErrRejected},
		{name: "digest", text: "0x" + strings.Repeat("0", 62) + "31"},
		{name: "digest", text: "0x" + strings.Repeat("0", 62) + "32", want: ErrRejected},
		{name: "digest", text: "49", wrong: "64 hexadecimal digits"},
		{name: "hidden", text: "1,2", wrong: ErrUnknownTensor.Error()},
		{name: "weights", text: "0x" + strings.Repeat("0", 64), wrong: ErrUnknownTensor.Error()},
		{name: "absent", text: "1", wrong: ErrUnknownTensor.Error()},
	} {
		expect := Expectation{AllowDevelopmentSRS: true}
		err := expect.Expect(a.vk.Manifest(), test.name, test.text)
		if test.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%s=%s: %v: want %q", test.name, test.text, err, test.wrong)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s=%s: %v", test.name, test.text, err)
			continue
		}
		if _, err := Verify(a.vk, a.proof, expect); !errors.Is(err, test.want) {
			t.Errorf("%s=%s: %v: want %v", test.name, test.text, err, test.want)
		}
	}
}

// TestIntegerOf finds each element again by its real value or label.
func TestIntegerOf(t *testing.T) {
	for _, scale := range []quantize.Scale{{Num: 1, Den: 1}, {Num: 1, Den: 255}, {Num: 3, Den: 7, Exp: 12}, {Num: 1, Den: 1, Exp: -3}} {
		p := &circuit.Public{Name: "x", Shape: tensor.Shape{1}, Lo: -300, Bits: 10, Scale: scale}
		for q := int64(-300); q < 300; q++ {
			got, err := integerOf(p, text64(realValue(q, scale)))
			if err != nil || got != q {
				t.Errorf("scale %v: %d is found as %d (%v)", scale, q, got, err)
			}
		}
	}
	p := &circuit.Public{Labels: []string{"cat", "dog"}, Scale: quantize.Scale{Num: 1, Den: 1}}
	if q, err := integerOf(p, "dog"); err != nil || q != 1 {
		t.Errorf("dog is %d (%v)", q, err)
	}
}

// text64 returns the shortest text of a real value, as JSON has it.
func text64(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// TestUnknownExpectationsInOrder wants one text for one mistake.
func TestUnknownExpectationsInOrder(t *testing.T) {
	e := Expectation{Integers: map[string][]int64{"c": nil, "a": nil, "b": nil}, Digests: map[string]fr.Element{"e": {}, "d": {}}}
	want := ""
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		want += errNotPublic(name).Error() + "\n"
	}
	for range 10 {
		if err := e.check(&Verdict{}); err == nil || err.Error()+"\n" != want {
			t.Fatalf("%v, want %s", err, want)
		}
	}
}
