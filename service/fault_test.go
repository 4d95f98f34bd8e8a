package service_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/client"
)

// TestBrokenOff has clients go away while their requests are served, and come again. A job
// whose record was made just then still has what it was sent with.
func TestBrokenOff(t *testing.T) {
	w := start(t, func(c *service.Config) { c.NoAuth = true })
	c := client.New(w.base, "")
	request := client.BuildRequest{ONNX: &client.Source{Data: []byte("no model")}}
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for k := range 15 {
				key := fmt.Sprint(i, " ", k)
				ctx, cancel := context.WithTimeout(t.Context(), rand.N(30*time.Millisecond))
				c.Build(ctx, request, key)
				cancel()
				j, err := c.Build(t.Context(), request, key)
				if err != nil {
					t.Error(err)
					return
				}
				if j, err = c.Wait(t.Context(), j, nil); err != nil || j.State != "failed" || j.Failure.Code != "model" {
					t.Errorf("%+v %+v, %v", j, j.Failure, err)
				}
			}
		})
	}
	clients.Wait()
}
