package service_test

import (
	"bytes"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/verifier/solidity"
)

// TestSolidity compares the service's project and calldata with those made here.
func TestSolidity(t *testing.T) {
	w := start(t, func(c *service.Config) { c.NoAuth = true })
	ctx := t.Context()
	c := client.New(w.base, "")
	build := built(t, c)
	j, err := c.Prove(ctx, client.ProofRequest{Model: build.Model, Inputs: []byte(`{"features": [0.03` + strings.Repeat(", 0.01", 9) + `]}`)}, "")
	if err == nil {
		j, err = c.Wait(ctx, j, nil)
	}
	if err != nil || j.State != "succeeded" {
		t.Fatal(j, err)
	}
	var text, key bytes.Buffer
	if err := c.Proof(ctx, j.ID, &text); err != nil {
		t.Fatal(err)
	}
	if err := c.VerifyingKey(ctx, build.Model, &key); err != nil {
		t.Fatal(err)
	}
	vk, err := prover.ReadVerifyingKey(&key)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := prover.ReadProof(&text)
	if err != nil {
		t.Fatal(err)
	}
	for _, standalone := range []bool{false, true} {
		query := url.Values{"template": {"inference"}}
		if standalone {
			query = url.Values{"standalone": {"true"}}
		}
		got, err := c.Solidity(ctx, build.Model, query)
		if err != nil {
			t.Fatal(err)
		}
		want, err := solidity.Export(vk, solidity.Options{Standalone: standalone, Template: query.Get("template"), AllowDevelopmentSRS: true})
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for path, text := range want {
			files[path] = string(text)
		}
		if !maps.Equal(got.Files, files) || got.ModelID != vk.ModelID().String() {
			t.Errorf("standalone %v: another project", standalone)
		}
	}
	call, err := c.Calldata(ctx, j.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := solidity.Calldata(vk, solidity.Typed, proof)
	if err != nil || call.Calldata != "0x"+hex.EncodeToString(want) || call.Function != solidity.Signature(vk, solidity.Typed) {
		t.Errorf("%+v, %v", call, err)
	}
	wantStatus(t, "packed words of hidden tensors", func() error { _, err := c.Calldata(ctx, j.ID, url.Values{"packed": {"true"}}); return err }, 422)
	wantStatus(t, "a weights digest for fixed weights", func() error {
		_, err := c.Solidity(ctx, build.Model, url.Values{"weights_digest": {"1"}})
		return err
	}, 422)
	wantStatus(t, "no such template", func() error {
		_, err := c.Solidity(ctx, build.Model, url.Values{"template": {"../x"}})
		return err
	}, 422)
	wantStatus(t, "no such model", func() error { _, err := c.Solidity(ctx, strings.Repeat("0", 64), nil); return err }, 404)
}

// TestHiddenModel sends a compiled model with hidden weights as a public blob.
func TestHiddenModel(t *testing.T) {
	w := start(t, func(c *service.Config) { c.NoAuth = true })
	c := client.New(w.base, "")
	network, err := zkml.LoadBytes(model(t, "diabetes/model.onnx"), zkml.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []circuit.Visibility{circuit.Private, circuit.Hashed, circuit.Fixed} {
		compiled, err := zkml.Compile(t.Context(), network, zkml.Options{Visibility: map[string]circuit.Visibility{circuit.WeightsName: v}})
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := compiled.Save(&file); err != nil {
			t.Fatal(err)
		}
		digest := blob.Sum(file.Bytes()).String()
		request := func(method string) int {
			r, err := http.NewRequestWithContext(t.Context(), method, w.base+"/v1/blobs/"+digest, bytes.NewReader(file.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			return answer.StatusCode
		}
		if status := request("PUT"); status != 204 {
			t.Fatalf("upload: %d", status)
		}
		r := client.BuildRequest{Model: &client.Source{Blob: digest}}
		if v == circuit.Fixed {
			if _, err := c.Build(t.Context(), r, ""); err != nil {
				t.Error(err)
			}
			continue
		}
		wantStatus(t, v.String(), func() error { _, err := c.Build(t.Context(), r, ""); return err }, 422)
		if status := request("GET"); status != 404 {
			t.Errorf("%v: the blob is still there: %d", v, status)
		}
	}
}
