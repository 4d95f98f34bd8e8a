package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"

	"github.com/zkml-go/zkml/prover/srs"
)

// halo2Root generates the group of order 2^28 in which halo2 numbers the points of a
// domain (halo2curves, bn256, ROOT_OF_UNITY); gnark-crypto's generator is another one.
const halo2Root = "0x03ddb9f5166d18b798865ea93dd31f743215cf6dd39329c8d34f1ed960c37c9c"

// writeHalo2 writes the development string as a file of halo2's ParamsKZG, which is what
// EZKL reads: the logarithm of the domain's size in 4 bytes, the powers, the Lagrange
// points, [1]₂ and [τ]₂, coordinates in Montgomery form, all little-endian. EZKL's own
// gen_srs makes such a file too, in minutes where this takes seconds.
func writeHalo2(path string, log int) error {
	s, err := srs.Development(log)
	if err != nil {
		return err
	}
	step, err := halo2Step(log)
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<20)
	n := 1 << log
	binary.Write(w, binary.LittleEndian, uint32(log)) // bufio keeps an error for Flush
	for i := range n {
		writeG1(w, &s.Powers[i])
	}
	for i := range n {
		writeG1(w, &s.Lagrange[i*step%n])
	}
	_, _, _, g2 := bn254.Generators()
	for _, p := range []*bn254.G2Affine{&g2, &s.TauG2} {
		for _, c := range []*fp.Element{&p.X.A0, &p.X.A1, &p.Y.A0, &p.Y.A1} {
			writeCoordinate(w, c)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}

// halo2Step returns the k with halo2's ω equal to gnark-crypto's ω^k, for a domain of
// 2^log points.
func halo2Step(log int) (int, error) {
	var theirs fr.Element
	if _, err := theirs.SetString(halo2Root); err != nil {
		return 0, err
	}
	for range 28 - log {
		theirs.Square(&theirs)
	}
	ours := fft.NewDomain(1 << log).Generator
	power := fr.One()
	for k := range 1 << log {
		if power.Equal(&theirs) {
			return k, nil
		}
		power.Mul(&power, &ours)
	}
	return 0, fmt.Errorf("halo2's root of unity has no logarithm in a domain of 2^%d points", log)
}

func writeG1(w io.Writer, p *bn254.G1Affine) {
	writeCoordinate(w, &p.X)
	writeCoordinate(w, &p.Y)
}

// writeCoordinate writes the limbs of the Montgomery form.
func writeCoordinate(w io.Writer, c *fp.Element) {
	var b [fp.Bytes]byte
	for i, limb := range c {
		binary.LittleEndian.PutUint64(b[8*i:], limb)
	}
	w.Write(b[:])
}
