package graph_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/codec"
	"github.com/zkml-go/zkml/tensor"
)

func encode(t testing.TB, g *graph.Graph) []byte {
	t.Helper()
	data, err := graph.Encode(g)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// edgeCases is a graph of what is easy to lose in an encoding.
func edgeCases() *graph.Graph {
	b := &builder{Graph: graph.Graph{Name: "édge"}}
	x := b.input("x", 2)
	b.add(graph.Rewire{Index: []int32{}}, tensor.Shape{0, 3}, x) // not the identity
	b.add(graph.Unary{Func: graph.Clip, Alpha: math.Inf(-1), Beta: 0.1}, tensor.Shape{2}, x)
	b.add(graph.Rewire{Index: []int32{-1, 1, -1}, Fill: math.Copysign(0, -1)}, tensor.Shape{3}, x)
	b.constant([]float64{0x1p-1074, math.MaxFloat64}, 2)
	b.constant(nil, 0)
	b.add(graph.Div{Truncate: true}, tensor.Shape{2}, x, x)
	return b.output(b.add(graph.Add{Coeffs: []int{-1}}, tensor.Shape{2}, x))
}

func TestEncodeRoundTrip(t *testing.T) {
	for _, g := range []*graph.Graph{everyOp(), lenet(), edgeCases()} {
		data := encode(t, g)
		back, err := graph.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if len(back.Nodes) != len(g.Nodes) {
			t.Fatalf("%s: %d nodes, expected %d", g.Name, len(back.Nodes), len(g.Nodes))
		}
		for i := range g.Nodes {
			if !equalNodes(&back.Nodes[i], &g.Nodes[i]) {
				t.Errorf("%s: node %d is %+v, expected %+v", g.Name, i, back.Nodes[i], g.Nodes[i])
			}
		}
		if back.Name != g.Name || !reflect.DeepEqual(back.Inputs, g.Inputs) || !reflect.DeepEqual(back.Outputs, g.Outputs) {
			t.Errorf("%s: inputs or outputs differ", g.Name)
		}
	}
}

// equalNodes is reflect.DeepEqual but for nil and empty lists where they mean the
// same.
func equalNodes(a, b *graph.Node) bool {
	if len(a.Inputs) == 0 && len(b.Inputs) == 0 {
		a.Inputs, b.Inputs = nil, nil
	}
	if !a.Shape.Equal(b.Shape) {
		return false
	}
	a.Shape, b.Shape = nil, nil
	if c, ok := a.Op.(graph.Const); ok && len(c.Values) == 0 {
		d, ok := b.Op.(graph.Const)
		return ok && len(d.Values) == 0
	}
	return reflect.DeepEqual(a, b)
}

// The bytes of a graph never change within a format version, on any machine.
func TestEncodeGolden(t *testing.T) {
	sum := sha256.Sum256(encode(t, everyOp()))
	const want = "2c764f9696dfb1e48fd2fc07bf382f637d256d26eefdf0d8ea7b141a241cd002"
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("digest of the encoded graph is %s, expected %s", got, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := encode(t, chain())
	replaced := func(old, new string) []byte {
		if bytes.Count(good, []byte(old)) != 1 {
			t.Fatalf("%q doesn't occur once", old)
		}
		return bytes.Replace(good, []byte(old), []byte(new), 1)
	}
	invalid := chain()
	invalid.Nodes[1].Inputs[0] = 1
	cases := []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "EOF"},
		{"trailing byte", append(bytes.Clone(good), 0), "extraneous"},
		{"invalid graph", encode(t, invalid), "not computed before it"},
		{"another version", append([]byte{good[0], 2}, good[2:]...), "format version 2"},
		{"unknown operator", replaced("eUnary", "eUnery"), "unknown operator"},
		{"unknown function", replaced("drelu", "dralu"), `unknown function "ralu"`},
		{"unknown field", replaced("eAlpha", "eAlpho"), "unknown field"},
		{"version in two bytes", append([]byte{good[0], 0x18}, good[1:]...), "deterministic"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := graph.Decode(c.data)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("found %v, expected %q", err, c.want)
			}
		})
	}
	for n := range good {
		if _, err := graph.Decode(good[:n]); err == nil {
			t.Fatalf("decoded from the first %d of %d bytes", n, len(good))
		}
	}
	if _, err := graph.Decode(append([]byte{good[0], 0x18}, good[1:]...)); !errors.Is(err, codec.ErrNotCanonical) {
		t.Errorf("found %v, expected ErrNotCanonical", err)
	}
}

// FuzzDecode shows that no bytes make Decode or the evaluation of what it accepts
// panic, and that what it accepts is canonical.
func FuzzDecode(f *testing.F) {
	for _, g := range []*graph.Graph{everyOp(), edgeCases(), chain()} {
		f.Add(encode(f, g))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := graph.Decode(data)
		if err != nil {
			return
		}
		if !bytes.Equal(encode(t, g), data) {
			t.Fatal("decoded from bytes that aren't canonical")
		}
		elements := 0
		for i := range g.Nodes {
			elements += g.Nodes[i].Shape.Size()
		}
		if elements > 4096 {
			return
		}
		inputs := map[string]*graph.Tensor{}
		for _, id := range g.Inputs {
			inputs[g.Nodes[id].Op.(graph.Input).Name] = tensor.New[float64](g.Nodes[id].Shape)
		}
		if _, err := g.Run(inputs); err != nil && !errors.Is(err, graph.ErrNotFinite) {
			t.Fatal(err)
		}
	})
}
