package zkml_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/prover/srs"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// golden is what a model's files must be, byte for byte, on every machine.
type golden struct {
	Model string `json:"model.zkml"` // SHA-256
	Key   string `json:"model.vk"`   // SHA-256
	ID    string `json:"model_id"`
}

// TestGolden compiles each model of testdata from its ONNX file and samples and
// compares the digests of model.zkml and model.vk. It is also run with the
// instruction set of GOAMD64=v3, for which Go fuses multiplications with additions.
func TestGolden(t *testing.T) {
	const file = "testdata/golden.json"
	want := make(map[string]golden)
	if data, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
	} else if !*update {
		t.Fatal(err)
	}
	for _, name := range []string{"lenet5", "mlp", "breast_cancer", "diabetes", "tictactoe"} {
		t.Run(name, func(t *testing.T) {
			got := digests(t, filepath.Join("testdata", name))
			if *update {
				want[name] = got
			} else if got != want[name] {
				t.Errorf("found %+v\n want %+v", got, want[name])
			}
		})
	}
	if *update {
		data, err := json.MarshalIndent(want, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func digests(t *testing.T, dir string) golden {
	network, err := zkml.Load(filepath.Join(dir, "model.onnx"), zkml.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	samples, err := network.ReadSamples(filepath.Join(dir, "samples.json"))
	if err != nil {
		t.Fatal(err)
	}
	model, err := zkml.Compile(context.Background(), network, zkml.Options{Samples: samples})
	if err != nil {
		t.Fatal(err)
	}
	var saved, key bytes.Buffer
	if err := model.Save(&saved); err != nil {
		t.Fatal(err)
	}
	s, err := srs.Development(model.DomainLog())
	if err != nil {
		t.Fatal(err)
	}
	_, vk, err := zkml.Setup(model, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vk.WriteTo(&key); err != nil {
		t.Fatal(err)
	}
	return golden{
		Model: fmt.Sprintf("%x", sha256.Sum256(saved.Bytes())),
		Key:   fmt.Sprintf("%x", sha256.Sum256(key.Bytes())),
		ID:    vk.ModelID().String(),
	}
}
