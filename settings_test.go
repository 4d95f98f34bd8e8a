package zkml_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/prover"
)

// TestReadSettingsRefuses has one row for each way in which a settings file can be
// none of a model.
func TestReadSettingsRefuses(t *testing.T) {
	_, m := compiled(t, "diabetes", zkml.LoadOptions{Head: zkml.Threshold(150)}, zkml.Options{Labels: []string{"low", "high"}})
	text, err := m.Settings.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, old, new string }{
		{"another version", `"version": 1`, `"version": 2`},
		{"an unknown member", `"version": 1`, `"version": 1, "verson": 1`},
		{"a negative width", `"widths": [`, `"widths": [-1,`},
		{"a width above 16", `"widths": [`, `"widths": [ 17,`},
		{"a label more", `"low",`, `"low", "middle",`},
		{"a label less", `"low",`, ``},
		{"another head", `threshold=150`, `argmax`},
		{"no head", `threshold=150`, ``},
		{"a head that isn't", `threshold=150`, `softmax`},
		{"a size of no dimension", `"version": 1`, `"version": 1, "dims": {"time": 3}`},
		{"something behind it", "\n}\n", "\n}\n{}"},
		{"cut short", "\n}\n", "\n"},
	} {
		changed := strings.Replace(string(text), test.old, test.new, 1)
		if changed == string(text) {
			t.Errorf("%s: there is no %q in\n%s", test.name, test.old, text)
			continue
		}
		s, err := zkml.ReadSettings(strings.NewReader(changed))
		if err == nil {
			var n *zkml.Network
			if n, err = zkml.Load("testdata/diabetes/model.onnx", zkml.LoadOptions{Head: zkml.Threshold(150)}); err != nil {
				t.Fatal(err)
			}
			_, err = zkml.Compile(context.Background(), n, zkml.Options{Settings: s})
		}
		if !errors.Is(err, prover.ErrMismatch) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// FuzzSettings wants no panic, and no settings but those of a model to compile.
func FuzzSettings(f *testing.F) {
	n, m := compiled(f, "diabetes", zkml.LoadOptions{}, zkml.Options{})
	text, err := m.Settings.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := zkml.ReadSettings(bytes.NewReader(data))
		if err == nil {
			_, err = zkml.Compile(context.Background(), n, zkml.Options{Settings: s})
		}
		if err != nil && !errors.Is(err, prover.ErrMismatch) {
			t.Fatalf("error of another kind: %v", err)
		}
	})
}
