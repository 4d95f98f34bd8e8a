package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/service"
)

// errService is returned if a check of the prover service found something wrong.
var errService = errors.New("the service isn't ready to be used")

// checkService prints what every part of a service says of itself.
func (a *app) checkService(ctx context.Context, s *service.Service, more ...service.Finding) error {
	type line struct {
		Part  string `json:"part"`
		OK    bool   `json:"ok"`
		Found string `json:"found"`
	}
	var lines []line
	var failed error
	for _, f := range append(more, s.Check(ctx)...) {
		lines = append(lines, line{f.Part, !f.Wrong, f.Text})
		if f.Wrong {
			failed = errService
		}
	}
	result := struct {
		Parts []line `json:"parts"`
	}{lines}
	err := a.emit(result, func(w io.Writer) {
		for _, l := range lines {
			verdict := "ok"
			if !l.OK {
				verdict = "WRONG"
			}
			printable.Fprintf(w, "%-6s %s: %s\n", verdict, l.Part, l.Found)
		}
	})
	return errors.Join(failed, err)
}

// expiring is how long before its end a certificate is worth a word.
const expiring = 14 * 24 * time.Hour

// checkCertificate says how long a certificate is valid.
func checkCertificate(pair *tls.Certificate, now time.Time) service.Finding {
	f := service.Finding{Part: "certificate"}
	end := pair.Leaf.NotAfter.UTC().Format(time.RFC3339)
	switch {
	case now.After(pair.Leaf.NotAfter):
		f.Wrong, f.Text = true, "it ended at "+end
	case now.Before(pair.Leaf.NotBefore):
		f.Wrong, f.Text = true, "it isn't valid before "+pair.Leaf.NotBefore.UTC().Format(time.RFC3339)
	case now.Add(expiring).After(pair.Leaf.NotAfter):
		f.Wrong, f.Text = true, "it ends soon, at "+end
	default:
		f.Text = fmt.Sprintf("for %v, valid until %s", pair.Leaf.DNSNames, end)
	}
	return f
}
