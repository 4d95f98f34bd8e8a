// Package testdata embeds the model that the demonstration proves, so that the
// command has it wherever it runs.
package testdata

import _ "embed"

// LeNet5 is the ONNX file of LeNet-5; its input "image" is [1, 1, 28, 28], pixels
// divided by 255, its output the scores of ten digits.
//
//go:embed lenet5/model.onnx
var LeNet5 []byte

// LeNet5Samples are digits to calibrate LeNet5 on, LeNet5Input one that it hasn't seen.
var (
	//go:embed lenet5/samples.json
	LeNet5Samples []byte
	//go:embed lenet5/input.json
	LeNet5Input []byte
)
