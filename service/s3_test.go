package service_test

import (
	"bytes"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/client"
)

// TestS3 builds and proves with all files in an S3 store: none lies in the data folder, and
// none that is private is stored in the clear.
func TestS3(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("files"); err != nil {
		t.Fatal(err)
	}
	store := httptest.NewServer(gofakes3.New(backend).Server())
	defer store.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "test-access")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
	w := start(t, func(c *service.Config) {
		c.NoAuth, c.Blobs = true, "s3://files/zkml?region=us-east-1&endpoint="+url.QueryEscape(store.URL)
	})
	c := client.New(w.base, "")
	build := built(t, c)
	const secret = "0.0312345678"
	j, err := c.Prove(t.Context(), client.ProofRequest{Model: build.Model, Inputs: []byte(`{"features": [` + secret + strings.Repeat(", 0.01", 9) + `]}`)}, "")
	if err == nil {
		j, err = c.Wait(t.Context(), j, nil)
	}
	if err != nil || j.State != "succeeded" {
		t.Fatalf("%+v %+v, %v", j, j.Failure, err)
	}
	var proof, secrets bytes.Buffer
	if err := c.Proof(t.Context(), j.ID, &proof); err != nil {
		t.Fatal(err)
	}
	if err := c.Secrets(t.Context(), j.ID, &secrets); err != nil {
		t.Fatal(err)
	}
	if v, err := c.Verify(t.Context(), client.VerifyRequest{Model: build.Model, Proof: proof.Bytes()}); err != nil || !v.Accepted {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := os.Stat(filepath.Join(w.data, "blobs")); err == nil {
		t.Error("there is a folder of blobs")
	}
	prefix := gofakes3.NewPrefix(nil, nil)
	list, err := backend.ListBucket("files", &prefix, gofakes3.ListBucketPage{})
	if err != nil || len(list.Contents) < 5 {
		t.Fatalf("%d objects, %v", len(list.Contents), err)
	}
	for _, o := range list.Contents {
		if !strings.HasPrefix(o.Key, "zkml/public/local/") && !strings.HasPrefix(o.Key, "zkml/private/local/") {
			t.Errorf("an object %s", o.Key)
		}
		object, err := backend.GetObject("files", o.Key, nil)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		text.ReadFrom(object.Contents)
		object.Contents.Close()
		if bytes.Contains(text.Bytes(), []byte(secret)) {
			t.Errorf("an input lies in %s", o.Key)
		}
	}
}
