package quantize_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/quantize/quantizetest"
	"github.com/zkml-go/zkml/tensor"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestEncode wants every random program back as it was, with one digest.
func TestEncode(t *testing.T) {
	digests := map[[32]byte]bool{}
	for seed := range uint64(400) {
		p := quantizetest.Program(rand.New(rand.NewPCG(seed, 4)), quantizetest.Options{})
		data, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		q, err := quantize.Decode(data)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		again, err := q.Encode()
		if err != nil || !bytes.Equal(data, again) || p.Digest() != q.Digest() {
			t.Fatalf("seed %d: the encoding changes: %v", seed, err)
		}
		for i := range p.Nodes {
			if !reflect.DeepEqual(p.Nodes[i].Op, q.Nodes[i].Op) {
				t.Fatalf("seed %d: node %d is %#v, want %#v", seed, i, q.Nodes[i].Op, p.Nodes[i].Op)
			}
		}
		digests[p.Digest()] = true
	}
	if len(digests) != 400 {
		t.Errorf("%d digests of 400 programs", len(digests))
	}
}

// TestDigestExcludesParams changes a hidden weight, which must not change the
// digest, and a fixed one, which must.
func TestDigestExcludesParams(t *testing.T) {
	params, consts := 0, 0
	for seed := range uint64(200) {
		p := quantizetest.Program(rand.New(rand.NewPCG(seed, 5)), quantizetest.Options{})
		before := p.Digest()
		for i, n := range p.Nodes {
			switch op := n.Op.(type) {
			case quantize.Param:
				op.Values[0] = n.Lo + n.Hi - op.Values[0]
				if params++; p.Digest() != before {
					t.Fatalf("seed %d: the digest depends on parameter %d", seed, i)
				}
			case quantize.Const:
				op.Values[0]++
				if consts++; p.Digest() == before {
					t.Fatalf("seed %d: the digest doesn't depend on constant %d", seed, i)
				}
				op.Values[0]--
			}
		}
	}
	if params < 50 || consts < 50 {
		t.Errorf("%d parameters and %d constants seen", params, consts)
	}
}

// TestGoldenDigests quantizes the trained models and compares the programs' digests
// with those of a file: they must not depend on the machine (run it under
// GOAMD64=v1 and v3).
func TestGoldenDigests(t *testing.T) {
	const file = "testdata/digests.txt"
	var lines []string
	for _, m := range testModels(t) {
		p, _ := m.calibrated(t)
		digest := p.Digest()
		lines = append(lines, m.Name+" "+hex.EncodeToString(digest[:])+"\n")
	}
	sort.Strings(lines)
	got := strings.Join(lines, "")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("digests are\n%swant\n%s", got, want)
	}
}

// FuzzDecode gives the decoder any bytes: it must not panic, and what it accepts
// must run on inputs of its declared intervals and encode to the same bytes.
func FuzzDecode(f *testing.F) {
	for seed := range uint64(20) {
		p := quantizetest.Program(rand.New(rand.NewPCG(seed, 6)), quantizetest.Options{Nodes: 4, Size: 3})
		data, err := p.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := quantize.Decode(data)
		if err != nil {
			return
		}
		again, err := p.Encode()
		if err != nil || !bytes.Equal(data, again) {
			t.Fatalf("accepted bytes are not canonical: %v", err)
		}
		for i := range p.Nodes {
			if param, ok := p.Nodes[i].Op.(quantize.Param); ok && param.Values == nil {
				return
			}
		}
		inputs := quantizetest.Inputs(rand.New(rand.NewPCG(1, 1)), p)
		values, err := p.Run(inputs)
		if err != nil {
			t.Fatalf("a valid program does not run: %v", err)
		}
		for i, n := range p.Nodes {
			for _, v := range values[i] {
				if v < n.Lo || v > n.Hi {
					t.Fatalf("tensor %d: %d is outside [%d, %d]", i, v, n.Lo, n.Hi)
				}
			}
		}
	})
}

// FuzzValidate changes numbers of a random program: Validate must not panic, and
// what it accepts must run within its intervals.
func FuzzValidate(f *testing.F) {
	f.Add(uint64(1), []byte{3, 0, 5, 2, 1, 200})
	f.Add(uint64(2), []byte{1, 9, 255, 4, 12, 7, 0, 13, 1})
	interesting := []int64{0, 1, -1, 2, 7, 63, 64, 1 << 20, 1 << 31, 1 << 40, 1<<62 - 1, math.MaxInt64, math.MinInt64, -1 << 40, -5, 13}
	f.Fuzz(func(t *testing.T, seed uint64, changes []byte) {
		p := quantizetest.Program(rand.New(rand.NewPCG(seed, 8)), quantizetest.Options{Nodes: 5, Size: 3})
		for ; len(changes) >= 3 && len(p.Nodes) > 0; changes = changes[3:] {
			n := &p.Nodes[int(changes[0])%len(p.Nodes)]
			v := interesting[changes[2]%16]
			if changes[2] >= 128 {
				v = int64(changes[2]) - 190
			}
			mutate(n, int(changes[1]), v)
		}
		if p.Validate() != nil {
			return
		}
		for i := range p.Nodes {
			if param, ok := p.Nodes[i].Op.(quantize.Param); ok && param.Values == nil {
				return
			}
		}
		values, err := p.Run(quantizetest.Inputs(rand.New(rand.NewPCG(1, 1)), p))
		if err != nil {
			t.Fatalf("a valid program does not run: %v", err)
		}
		for i, n := range p.Nodes {
			for _, v := range values[i] {
				if v < n.Lo || v > n.Hi {
					t.Fatalf("tensor %d: %d is outside [%d, %d]", i, v, n.Lo, n.Hi)
				}
			}
		}
	})
}

// mutate sets one number of a node.
func mutate(n *quantize.Node, field int, v int64) {
	switch field % 8 {
	case 0:
		n.Lo = v
	case 1:
		n.Hi = v
	case 2:
		if len(n.Inputs) > 0 {
			n.Inputs[0] = quantize.ID(v)
		}
	case 3:
		if len(n.Shape) > 0 {
			n.Shape[field/8%len(n.Shape)] = int(v)
		}
	case 4:
		n.Inputs = append(n.Inputs, quantize.ID(v))
	case 5:
		if len(n.Inputs) > 0 {
			n.Inputs = n.Inputs[:len(n.Inputs)-1]
		}
	default:
		switch op := n.Op.(type) {
		case quantize.Input:
			op.Bits = int(v)
			n.Op = op
		case quantize.Param:
			op.Values = nil
			n.Op = op
		case quantize.Const:
			op.Values[0] = v
		case quantize.Rewire:
			if len(op.Index) > 0 {
				op.Index[0] = int32(v)
			}
			op.Fill = v
			n.Op = op
		case quantize.Linear:
			switch field / 8 % 6 {
			case 0:
				op.Groups = int(v)
			case 1:
				op.Stride[0] = int(v)
			case 2:
				op.Dilation[1] = int(v)
			default:
				op.Pad[field/8%4] = int(v)
			}
			n.Op = op
		case quantize.Add:
			op.Const = v
			op.Coeffs[0] = v
			n.Op = op
		case quantize.Rescale:
			switch field / 8 % 4 {
			case 0:
				op.Multiplier = v
			case 1:
				op.Shift = uint(v)
			case 2:
				op.Min = v
			case 3:
				op.Max = v
			}
			n.Op = op
		case quantize.Lookup:
			if field/8%2 == 0 {
				op.Min = v
			} else {
				op.Table[0] = v
			}
			n.Op = op
		case quantize.Threshold:
			op.T = v
			n.Op = op
		case quantize.Div:
			op.Shift = uint(v)
			n.Op = op
		}
	}
}

// FuzzSettings gives any settings file to a graph of many operators: what is
// accepted must give a valid program.
func FuzzSettings(f *testing.F) {
	c := newChain(tensor.Shape{1, 3, 1, 1})
	y := c.add(plain, tensor.Shape{1, 4, 1, 1}, 0, c.wave(tensor.Shape{4, 3, 1, 1}), c.wave(tensor.Shape{4}))
	y = c.add(graph.Unary{Func: graph.Gelu}, tensor.Shape{1, 4, 1, 1}, y)
	y = c.add(graph.Rewire{}, tensor.Shape{1, 4}, y)
	y = c.add(graph.Softmax{}, tensor.Shape{1, 4}, y)
	d := c.add(graph.Unary{Func: graph.Exp}, tensor.Shape{1, 4}, y)
	c.add(graph.Div{}, tensor.Shape{1, 4}, y, d)
	_, report, err := quantize.Quantize(context.Background(), c.g, quantize.Options{})
	if err != nil {
		f.Fatal(err)
	}
	data, err := json.MarshalIndent(report.Settings, "", "  ")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, change := range []string{`"bits": 20`, `"lo": -1e300`, `"hi": 1e-300`, `"exp": -60`, `"exp": 60`, `"num": 2147483647`} {
		name, _, _ := strings.Cut(change, ":")
		f.Add(regexp.MustCompile(name+`: [-0-9.e]+`).ReplaceAll(data, []byte(change)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := settingsOf(data)
		if err != nil {
			return
		}
		p, _, err := quantize.Quantize(t.Context(), c.g, quantize.Options{Settings: s})
		if err != nil {
			return
		}
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
	})
}
