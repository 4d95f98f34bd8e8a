package zkml_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
)

// compiled compiles one of the trained models on its samples.
func compiled(t testing.TB, name string, load zkml.LoadOptions, o zkml.Options) (*zkml.Network, *zkml.Model) {
	t.Helper()
	n, err := zkml.Load("testdata/"+name+"/model.onnx", load)
	if err != nil {
		t.Fatal(err)
	}
	if o.Samples, err = n.ReadSamples("testdata/" + name + "/samples.json"); err != nil {
		t.Fatal(err)
	}
	m, err := zkml.Compile(context.Background(), n, o)
	if err != nil {
		t.Fatal(err)
	}
	return n, m
}

// saved returns a model's file.
func saved(t testing.TB, m *zkml.Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Save(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSaveAndOpen(t *testing.T) {
	for _, test := range []struct {
		name string
		load zkml.LoadOptions
		o    zkml.Options
	}{
		{name: "plain"},
		{name: "head with labels", load: zkml.LoadOptions{Head: zkml.Threshold(150)}, o: zkml.Options{Labels: []string{"low", "high"}}},
		{name: "private weights", o: zkml.Options{Visibility: map[string]circuit.Visibility{circuit.WeightsName: circuit.Private}}},
		{name: "fixed widths", load: zkml.LoadOptions{Name: "d", Dims: map[string]int{"features.0": 1}}, o: zkml.Options{Widths: []int{6, 9}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, m := compiled(t, "diabetes", test.load, test.o)
			data := saved(t, m)
			opened, err := zkml.Open(context.Background(), bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(saved(t, opened), data) {
				t.Error("opening and saving again gives other bytes")
			}
			if a, b := m.Circuit.Rows(), opened.Circuit.Rows(); a != b {
				t.Errorf("%d rows, after opening %d", a, b)
			}
			inputs, err := opened.ReadInputs("testdata/diabetes/input.json")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := opened.Check(inputs, zkml.ProveOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSettingsGiveTheModel compiles again from the settings alone.
func TestSettingsGiveTheModel(t *testing.T) {
	_, m := compiled(t, "diabetes", zkml.LoadOptions{Head: zkml.Threshold(150)}, zkml.Options{Labels: []string{"low", "high"}})
	text, err := m.Settings.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	settings, err := zkml.ReadSettings(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	_, again := compiled(t, "diabetes", settings.LoadOptions(), zkml.Options{Settings: settings})
	if !bytes.Equal(saved(t, again), saved(t, m)) {
		t.Error("the settings give another model")
	}
	n, err := zkml.Load("testdata/diabetes/model.onnx", zkml.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := zkml.Compile(context.Background(), n, zkml.Options{Settings: settings}); !errors.Is(err, prover.ErrMismatch) {
		t.Errorf("settings with a head, model loaded without: %v", err)
	}
}

// TestOpenRefusesEveryChange changes single bytes, without and with the digest made to
// fit.
func TestOpenRefusesEveryChange(t *testing.T) {
	_, m := compiled(t, "diabetes", zkml.LoadOptions{}, zkml.Options{})
	data := saved(t, m)
	stride := 7
	if testing.Short() {
		stride = 101
	}
	for i := 0; i < len(data); i += stride {
		changed := bytes.Clone(data)
		changed[i] ^= 1 << (i % 8)
		_, err := zkml.Open(context.Background(), bytes.NewReader(changed))
		if !errors.Is(err, prover.ErrMismatch) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for i := 8; i < len(data)-sha256.Size; i += stride {
		changed := bytes.Clone(data)
		changed[i] ^= 1 << (i % 8)
		sum := sha256.Sum256(changed[:len(data)-sha256.Size])
		copy(changed[len(data)-sha256.Size:], sum[:])
		opened, err := zkml.Open(context.Background(), bytes.NewReader(changed))
		switch {
		case err == nil:
			if !bytes.Equal(saved(t, opened), changed) {
				t.Fatalf("byte %d changed: read as another model", i)
			}
		case !errors.Is(err, prover.ErrMismatch):
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for _, n := range []int{0, 7, 8, 39, 40, len(data) - 1} {
		if _, err := zkml.Open(context.Background(), bytes.NewReader(data[:n])); !errors.Is(err, prover.ErrMismatch) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// TestCheckFindsForeignProgram swaps the program for one of other scales: whole in
// itself, but not what graph and settings give.
func TestCheckFindsForeignProgram(t *testing.T) {
	_, a := compiled(t, "diabetes", zkml.LoadOptions{}, zkml.Options{})
	_, b := compiled(t, "diabetes", zkml.LoadOptions{}, zkml.Options{Widths: []int{6}, Visibility: map[string]circuit.Visibility{circuit.WeightsName: circuit.Private}})
	a.Program, a.Circuit = b.Program, b.Circuit
	inputs, err := a.ReadInputs("testdata/diabetes/input.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Check(inputs, zkml.ProveOptions{}); !errors.Is(err, prover.ErrMismatch) {
		t.Errorf("check of a foreign program: %v", err)
	}
}

// FuzzOpen wants no panic, and a model that is opened to be what is saved. The digest
// is made to fit, as a stranger can.
func FuzzOpen(f *testing.F) {
	_, m := compiled(f, "diabetes", zkml.LoadOptions{}, zkml.Options{})
	data := saved(f, m)
	f.Add(data[8 : len(data)-sha256.Size])
	_, m = compiled(f, "diabetes", zkml.LoadOptions{Head: zkml.Threshold(150)}, zkml.Options{Visibility: map[string]circuit.Visibility{circuit.WeightsName: circuit.Private}})
	data = saved(f, m)
	f.Add(data[8 : len(data)-sha256.Size])
	_, m = compiled(f, "diabetes", zkml.LoadOptions{Head: zkml.Threshold(150)}, zkml.Options{DatasetSize: 2})
	data = saved(f, m)
	f.Add(data[8 : len(data)-sha256.Size])
	f.Fuzz(func(t *testing.T, body []byte) {
		data := append([]byte("zkml-mo\x01"), body...)
		sum := sha256.Sum256(data)
		data = append(data, sum[:]...)
		m, err := zkml.Open(context.Background(), bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, prover.ErrMismatch) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if !bytes.Equal(saved(t, m), data) {
			t.Fatal("saved again it has other bytes")
		}
	})
}
