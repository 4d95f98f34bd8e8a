package quantize

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/zkml-go/zkml/graph"
)

// Sample is one set of inputs, by name.
type Sample = map[string]*graph.Tensor

// Options say how a graph is quantized. The zero value calibrates on made-up
// inputs in [-1, 1] with the default target.
type Options struct {
	// Samples are what calibration looks at; of many, the first MaxSamples.
	Samples []Sample
	// Target is the accuracy to reach.
	Target Target
	// Encodings fix the encoding of inputs, by name.
	Encodings map[string]Encoding
	// InputBits, ActivationBits and WeightBits fix a width that calibration would
	// choose, where they aren't 0.
	InputBits, ActivationBits, WeightBits int
	// TableBits is Settings.TableBits; 0 takes DefaultTableBits.
	TableBits int
	// Margin is Settings.Margin; 0 takes DefaultMargin.
	Margin float64
	// HiddenWeights makes trained weights Params.
	HiddenWeights bool
	// HashedWeights says that hidden weights will be hashed, which costs rows for each
	// of their bits: the search then takes fewer.
	HashedWeights bool
	// Settings, if given, replace calibration and all options above except Samples
	// and Target, which then serve the report alone.
	Settings *Settings
}

// Defaults of Options.
const (
	DefaultTableBits = 12
	DefaultMargin    = 0.25
	MaxSamples       = 256
)

// Encoding is how an input's owner holds its values: integers of Bits bits from Lo
// up, each standing for that multiple of Scale. Bytes of an image are
// {Bits: 8, Scale: Scale{Num: 1, Den: 255}}.
type Encoding struct {
	Bits  int
	Lo    int64
	Scale Scale
}

// Target is the accuracy that calibration has to reach on its samples.
type Target struct {
	Kind  TargetKind
	Value float64
}

// TargetKind is what a Target measures.
type TargetKind uint8

// The kinds of targets.
const (
	// DefaultTarget asks for an error of at most 1 % of the output's range, and,
	// for a single floating output whose last axis alone is above 1, for the same
	// argmax on 99.5 % of the samples. A label — the output of an argmax or a
	// threshold — has to be the same on 99.5 % of the samples instead.
	DefaultTarget TargetKind = iota
	// ArgMaxTarget asks for the same argmax, or label, on the fraction Value of the
	// samples.
	ArgMaxTarget
	// ErrorTarget asks for an error of at most the fraction Value of the output's
	// range.
	ErrorTarget
)

// The figures of the default target.
const (
	defaultError     = 0.01
	defaultAgreement = 0.995
)

// ParseTarget reads "argmax=0.99" or "error=0.01"; the empty string is the default.
func ParseTarget(s string) (Target, error) {
	if s == "" {
		return Target{}, nil
	}
	name, number, _ := strings.Cut(s, "=")
	v, err := strconv.ParseFloat(number, 64)
	switch {
	case err == nil && name == "argmax" && v > 0 && v <= 1:
		return Target{ArgMaxTarget, v}, nil
	case err == nil && name == "error" && v > 0 && !math.IsInf(v, 0):
		return Target{ErrorTarget, v}, nil
	}
	return Target{}, fmt.Errorf("target %q: want argmax=P with P in (0, 1] or error=E with E above 0", s)
}

// String is the inverse of ParseTarget.
func (t Target) String() string {
	switch t.Kind {
	case ArgMaxTarget:
		return fmt.Sprintf("argmax=%v", t.Value)
	case ErrorTarget:
		return fmt.Sprintf("error=%v", t.Value)
	}
	return "default"
}
