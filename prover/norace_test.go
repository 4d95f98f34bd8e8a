//go:build !race

package prover

// raceDetector slows everything down several times.
const raceDetector = false
