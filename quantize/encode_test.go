package quantize_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"math/rand/v2"
	"os"
	"reflect"
	"sort"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/quantize/quantizetest"
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
		g, samples := m.load(t)
		p, _, err := quantize.Quantize(g, quantize.Options{Samples: samples})
		if err != nil {
			t.Fatal(err)
		}
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
