//go:build !amd64 || purego

package msm

// newArithmetic returns the arithmetic for this processor.
func newArithmetic() arithmetic { return newVectors() }
