package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	service "github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/verifier/solidity/client"
)

func TestParseEncoding(t *testing.T) {
	for _, test := range []struct {
		text string
		want quantize.Encoding
	}{
		{"uint8:1/255", quantize.Encoding{Bits: 8, Scale: quantize.Scale{Num: 1, Den: 255}}},
		{"int8:2^-4", quantize.Encoding{Bits: 8, Lo: -128, Scale: quantize.Scale{Num: 1, Den: 1, Exp: 4}}},
		{"int16:2^3", quantize.Encoding{Bits: 16, Lo: -32768, Scale: quantize.Scale{Num: 1, Den: 1, Exp: -3}}},
		{"uint1:1", quantize.Encoding{Bits: 1, Scale: quantize.Scale{Num: 1, Den: 1}}},
		{"uint12:12/40", quantize.Encoding{Bits: 12, Scale: quantize.Scale{Num: 3, Den: 5, Exp: 1}}},
	} {
		if got, ok := parseEncoding(test.text); !ok || got != test.want {
			t.Errorf("%s: %+v, want %+v", test.text, got, test.want)
		}
	}
	for _, text := range []string{"", "uint8", "uint8:", "uint8:0", "uint8:1/0", "uint8:-1", "uint8:2^x", "uint8:2^99", "uint0:1", "int33:1", "float:1", "uint8:1/2/3"} {
		if got, ok := parseEncoding(text); ok {
			t.Errorf("%q is accepted as %+v", text, got)
		}
	}
}

// The codes of errors that no script makes.
func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{&quantize.InvalidError{Node: -1, Reason: "too many inferences"}, exitModel},
		{circuit.ErrTooLarge, exitModel},
		{errors.New("anything else"), exitInternal},
		// What a node or a contract says: only a refused proof is a rejection.
		{fmt.Errorf("%w: %w", client.ErrRejected, &client.RevertError{Name: "ProofRejected"}), exitRejected},
		{client.ErrNotRegistered, exitMismatch},
		{client.ErrContext, exitMismatch},
		{&client.CodeError{What: "a contract"}, exitMismatch},
		{&client.ChainError{Found: big.NewInt(1), Want: big.NewInt(2)}, exitMismatch},
		{&client.RevertError{Name: "PrecompileFailed"}, exitInternal},
		{&client.RevertError{}, exitInternal},
		{&client.HaltError{Reason: "out of gas"}, exitInternal},
		{&client.RPCError{Err: errors.New("header not found")}, exitInternal},
		{&client.FeeError{Asked: big.NewInt(2), Max: big.NewInt(1)}, exitInternal},
		{client.ErrABI, exitUsage},
	} {
		if got := exitCode(fmt.Errorf("compile: %w", test.err)); got != test.want {
			t.Errorf("%v: exit %d, want %d", test.err, got, test.want)
		}
	}
}

// TestMaxFee reads amounts of gwei, and refuses what isn't one.
func TestMaxFee(t *testing.T) {
	for text, want := range map[string]int64{"100": 100e9, "0.5": 5e8, "1.5": 15e8, "0.000000001": 1, "007": 7e9, ".5": 5e8} {
		f := signerFlags{maxFee: text}
		if got, err := f.fee(); err != nil || got.Int64() != want {
			t.Errorf("%s: %v wei, want %d: %v", text, got, want, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "1e9", "0x10", "1/2", "1.0000000001", "1_0", "1.2.3", ".", strings.Repeat("9", 31), " 1"} {
		f := signerFlags{maxFee: text}
		if got, err := f.fee(); err == nil || exitCode(err) != exitUsage {
			t.Errorf("%q: %v wei: %v", text, got, err)
		}
	}
	if text := gwei(client.DefaultMaxFee()); text != "100" {
		t.Errorf("the default is %s gwei", text)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", -100: "-100", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// TestVerifyNotices wants every way in which an accepted proof can be worth less than
// it looks to be said.
func TestVerifyNotices(t *testing.T) {
	safe := verifyResult{Pinned: true, Ceremony: "some ceremony"}
	for _, test := range []struct {
		change func(*verifyResult)
		want   string
	}{
		{func(*verifyResult) {}, ""},
		{func(r *verifyResult) { r.Pinned = false }, "the key isn't pinned"},
		{func(r *verifyResult) { r.Context[0] = 1 }, "the proof was made for the context 0x"},
		{func(r *verifyResult) { r.Context[0], r.ContextPinned = 1, true }, ""},
		{func(r *verifyResult) { r.NotPinned = []string{"x"} }, "x is hashed and not pinned"},
		{func(r *verifyResult) { r.AnyWeights = true }, "the weights are private"},
		{func(r *verifyResult) { r.Development, r.Ceremony = true, "" }, "the key is of the development srs"},
		{func(r *verifyResult) { r.Ceremony = "" }, "the key's srs is of no ceremony that this program knows"},
	} {
		var stderr bytes.Buffer
		r := safe
		test.change(&r)
		(&app{stderr: &stderr}).verifyNotices(&r)
		if text := stderr.String(); !strings.Contains(text, test.want) || strings.Count(text, "\n") != min(1, len(test.want)) {
			t.Errorf("notices %q: want %q", text, test.want)
		}
	}
}

// TestKeysBeside looks into a folder whose name is a pattern, too.
func TestKeysBeside(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "[a]*")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"model.vk", "model.pk", "proof.json"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found, err := keysBeside(filepath.Join(folder, "proof.json"))
	if err != nil || len(found) != 1 || found[0] != filepath.Join(folder, "model.vk") {
		t.Errorf("%q, %v: want model.vk", found, err)
	}
}

// TestProgressOnATerminal draws a spinner and a bar, prints above them, and clears.
func TestProgressOnATerminal(t *testing.T) {
	var screen, out bytes.Buffer
	p := &progress{app: &app{stdout: &out, stderr: &screen, log: slog.New(slog.DiscardHandler)}}
	p.bars = mpb.New(mpb.WithOutput(&screen), mpb.WithWidth(40), mpb.WithAutoRefresh(), mpb.WithRefreshRate(time.Millisecond))
	p.start("spinning")
	time.Sleep(20 * time.Millisecond)
	p.start("measured")
	p.part(0.25)
	p.part(0.5)
	time.Sleep(20 * time.Millisecond)
	p.printf("%s\n", "result")
	p.done()
	p.done()
	for _, want := range []string{"spinning", "measured", "==="} {
		if !bytes.Contains(screen.Bytes(), []byte(want)) {
			t.Errorf("the screen never showed %q", want)
		}
	}
	if out.String() != "result\n" {
		t.Errorf("standard output has %q", out.String())
	}
}

// TestNATSFlag gives a URL whose password isn't escaped: it is refused, and not shown.
func TestNATSFlag(t *testing.T) {
	f := serviceFlags{nats: "nats://zkml:sec%ret@n1:4222"}
	_, err := f.config(&app{stderr: io.Discard})
	if err == nil || exitCode(err) != exitUsage || strings.Contains(err.Error(), "ret@") {
		t.Errorf("%v", err)
	}
}

// TestPersist has a service be busy for a moment, and for a day: only the first is waited for.
func TestPersist(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		calls int
	}{{0, 2}, {24 * time.Hour, 1}} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		calls := 0
		_, err := persist(ctx, func() (int, error) {
			if calls++; calls == 2 {
				return 0, nil
			}
			return 0, &service.Problem{Status: 429, RetryAfter: c.after}
		})
		var p *service.Problem
		if calls != c.calls || c.calls == 1 && !errors.As(err, &p) || c.calls == 2 && err != nil {
			t.Errorf("wait %v: %d calls, %v", c.after, calls, err)
		}
	}
}
