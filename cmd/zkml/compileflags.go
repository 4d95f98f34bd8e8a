package main

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
)

// compileFlags are the flags of the commands that compile an ONNX file.
type compileFlags struct {
	samples, target, head, settings, name, like string
	strict                                      bool
	dims, encodings, visibility, inputLike      []string
	widths                                      []int
	datasetSize, batch                          int
	labels                                      []string

	links []link // of inputLike
}

// add defines the flags.
func (f *compileFlags) add(flags *pflag.FlagSet) {
	f.addReport(flags)
	flags.StringVar(&f.head, "head", "", "decision to append: argmax or threshold=T")
	flags.StringSliceVar(&f.labels, "labels", nil, "names of the head's labels, separated by commas")
	flags.StringArrayVar(&f.dims, "dim", nil, "size of a free dimension, `NAME=N`; repeatable")
	flags.StringArrayVar(&f.encodings, "input-encoding", nil, "encoding of an input, `NAME=TYPE:SCALE` such as image=uint8:1/255; repeatable")
	flags.StringArrayVar(&f.inputLike, "input-like", nil, "encode an input as another model's tensor, `[INPUT=]MODEL.vk:NAME`, so that equal values have equal digests; repeatable")
	flags.StringArrayVar(&f.visibility, "visibility", nil, "what a proof shows of an input or output, `NAME=public|private|hashed`, or weights=fixed|private|hashed; repeatable")
	flags.IntVar(&f.datasetSize, "dataset-size", 0, "count correct answers over `N` labelled samples, instead of proving one answer")
	flags.IntVar(&f.batch, "batch", 0, "prove the answers to `N` inputs in one proof")
	flags.StringVar(&f.like, "like", "", "compiled `model` with hidden weights of which this is another training: same circuit, keys and model id")
	flags.StringVar(&f.name, "name", "", "the model's name, instead of the one in the file")
	flags.IntSliceVar(&f.widths, "widths", nil, "widths in bits of the range-check tables, ascending")
	flags.StringVar(&f.settings, "settings", "", "`file` with all choices, from zkml calibrate")
}

// addReport defines the flags of commands that measure the accuracy of choices that
// were made before.
func (f *compileFlags) addReport(flags *pflag.FlagSet) {
	flags.StringVar(&f.samples, "samples", "", "`file` of sample inputs to calibrate on (.json, .npy, .npz)")
	flags.StringVar(&f.target, "target", "", "accuracy to reach: argmax=P, the same label on the fraction P of the samples, or error=E, of the output's range")
	flags.BoolVar(&f.strict, "strict", false, "fail if the target is missed")
}

// network loads the ONNX file and the samples.
func (a *app) network(ctx context.Context, path string, f *compileFlags, p *progress) (*zkml.Network, *zkml.Options, error) {
	o, load, err := f.options()
	if err != nil {
		return nil, nil, err
	}
	if f.like != "" {
		p.start("reading the model that it is like")
		if o.Like, err = openModel(ctx, f.like); err != nil {
			return nil, nil, err
		}
		load = o.Like.LoadOptions()
	}
	p.start("loading the model")
	n, err := zkml.Load(path, load)
	if err != nil {
		return nil, nil, err
	}
	if err := f.link(n, o); err != nil {
		return nil, nil, err
	}
	if f.samples != "" {
		if o.Samples, err = n.ReadSamples(f.samples); err != nil {
			return nil, nil, err
		}
	}
	o.Progress = p.start
	return n, o, nil
}

// compileModel is all of compile but the writing.
func (a *app) compileModel(ctx context.Context, path string, f *compileFlags) (*zkml.Model, error) {
	p := a.progress()
	defer p.done()
	n, o, err := a.network(ctx, path, f, p)
	if err != nil {
		return nil, err
	}
	m, err := zkml.Compile(ctx, n, *o)
	p.done()
	if err != nil {
		return nil, err
	}
	if err := checkLinks(m, f.links); err != nil {
		return nil, err
	}
	a.compileNotices(n, m)
	return m, nil
}

// compileNotices tells the user which choices were made without being asked for.
func (a *app) compileNotices(n *zkml.Network, m *zkml.Model) {
	for _, notice := range n.Info.Notices {
		a.notice("%s", notice)
	}
	for _, notice := range m.Report.Notices {
		a.notice("%s", notice)
	}
	if !m.Report.Met {
		a.notice("%v", &zkml.AccuracyError{Report: m.Report})
	}
	switch m.Circuit.Manifest.Weights {
	case circuit.Private:
		a.notice("private weights bind nothing: a proof says that some weights in their intervals give this output")
	case circuit.Hashed:
		a.notice("hashed weights mean something only to a verifier who has their digest already: zkml commit makes it")
	}
}

// options turns the flags into what package zkml takes.
func (f *compileFlags) options() (*zkml.Options, zkml.LoadOptions, error) {
	load := zkml.LoadOptions{Name: f.name}
	o := &zkml.Options{Strict: f.strict, Labels: f.labels, DatasetSize: f.datasetSize, Batch: f.batch, Widths: f.widths}
	if f.datasetSize < 0 {
		return nil, load, usagef("--dataset-size %d: want a number of at least 1", f.datasetSize)
	}
	if f.batch < 0 {
		return nil, load, usagef("--batch %d: want a number of at least 1", f.batch)
	}
	if f.batch > 0 && f.datasetSize > 0 {
		return nil, load, usagef("--batch and --dataset-size exclude each other: a proof shows answers or counts right ones")
	}
	var err error
	if o.Target, err = quantize.ParseTarget(f.target); err != nil {
		return nil, load, usage(err)
	}
	if f.like != "" && (f.settings != "" || f.choices()) {
		return nil, load, usagef("--like fixes what --head, --labels, --dim, --input-encoding, --input-like, --visibility, --dataset-size, --batch, --name, --widths and --settings choose: leave them out")
	}
	if f.settings != "" {
		if o.Settings, err = readSettings(f.settings); err != nil {
			return nil, load, err
		}
		if f.choices() || f.like != "" {
			return nil, load, usagef("--settings fixes what --head, --labels, --dim, --input-encoding, --input-like, --visibility, --dataset-size, --batch, --name, --widths and --like choose: leave them out")
		}
		return o, o.Settings.LoadOptions(), nil
	}
	if load.Head, err = zkml.ParseHead(f.head); err != nil {
		return nil, load, usage(err)
	}
	if load.Dims, err = parseDims(f.dims); err != nil {
		return nil, load, err
	}
	if o.Encodings, err = parseEncodings(f.encodings); err != nil {
		return nil, load, err
	}
	if o.Visibility, err = parseVisibility(f.visibility); err != nil {
		return nil, load, err
	}
	return o, load, nil
}

// choices reports whether a flag is given that settings would overrule.
func (f *compileFlags) choices() bool {
	return f.head != "" || f.name != "" || f.datasetSize != 0 || f.batch != 0 ||
		len(f.dims)+len(f.encodings)+len(f.widths)+len(f.labels)+len(f.visibility)+len(f.inputLike) > 0
}

// readSettings reads all choices from model.settings.json or from model.zkml.
func readSettings(path string) (*zkml.Settings, error) {
	s, err := readFile(path, zkml.ReadSettings)
	if errors.Is(err, prover.ErrMismatch) {
		m, failed := openModel(context.Background(), path)
		if failed == nil {
			return m.Settings, nil
		}
		if filepath.Ext(path) == ".zkml" {
			return nil, failed
		}
	}
	return s, err
}

// parseDims reads NAME=N.
func parseDims(texts []string) (map[string]int, error) {
	dims := make(map[string]int, len(texts))
	for _, text := range texts {
		name, number, _ := cutLast(text, "=")
		n, err := strconv.Atoi(number)
		if err != nil || name == "" || n < 1 {
			return nil, usagef("--dim %q: want NAME=N with N at least 1", text)
		}
		dims[name] = n
	}
	return dims, nil
}

// parseEncodings reads NAME=TYPE:SCALE, where TYPE is int or uint and a number of
// bits, and SCALE a number, a fraction, or 2^-k.
func parseEncodings(texts []string) (map[string]quantize.Encoding, error) {
	encodings := make(map[string]quantize.Encoding, len(texts))
	for _, text := range texts {
		name, encoding, _ := cutLast(text, "=")
		e, ok := parseEncoding(encoding)
		if !ok || name == "" {
			return nil, usagef("--input-encoding %q: want NAME=TYPE:SCALE, such as image=uint8:1/255 or x=int16:2^-8", text)
		}
		encodings[name] = e
	}
	return encodings, nil
}

func parseEncoding(text string) (e quantize.Encoding, ok bool) {
	kind, scale, _ := strings.Cut(text, ":")
	digits, unsigned := strings.CutPrefix(kind, "uint")
	if !unsigned {
		if digits, ok = strings.CutPrefix(kind, "int"); !ok {
			return e, false
		}
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > 32 {
		return e, false
	}
	e.Bits = n
	if !unsigned {
		e.Lo = -(int64(1) << (n - 1))
	}
	e.Scale, ok = parseScale(scale)
	return e, ok
}

// parseScale reads "1/255", "2^-8" or "3". Powers of two go into the exponent.
func parseScale(text string) (quantize.Scale, bool) {
	if exponent, ok := strings.CutPrefix(text, "2^"); ok {
		k, err := strconv.Atoi(exponent)
		return quantize.PowerOfTwo(-k), err == nil && k >= -60 && k <= 60
	}
	numerator, denominator, fraction := strings.Cut(text, "/")
	num, err := strconv.ParseUint(numerator, 10, 31)
	den := uint64(1)
	if err == nil && fraction {
		den, err = strconv.ParseUint(denominator, 10, 31)
	}
	if err != nil || num == 0 || den == 0 {
		return quantize.Scale{}, false
	}
	n, d := bits.TrailingZeros64(num), bits.TrailingZeros64(den)
	return quantize.Scale{Num: num >> n, Den: den >> d, Exp: d - n}, true
}

// cutLast is strings.Cut at the last separator: names may contain it.
func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}

// describeSize formats a number of bytes.
func describeSize(bytes int64) string {
	switch {
	case bytes >= 10<<20:
		return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20))
	case bytes >= 10<<10:
		return fmt.Sprintf("%.0f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", bytes)
}
