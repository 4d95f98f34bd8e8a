// Package plonk makes PLONK proofs over BN254 with KZG commitments, of the circuits
// and keys of gnark, in gnark's format: gnark's verifier and its Solidity contract
// accept them. The protocol is PLONK (Gabizon, Williamson, Ciobotaru,
// https://eprint.iacr.org/2019/953) with the commitments of values in the middle of a
// circuit that gnark adds ("BSB22", after https://eprint.iacr.org/2022/1072).
//
// [New] prepares a circuit, [Prover.Prove] makes a proof. A circuit is n rows of three
// wires l, r, o and of selectors, with ql·l + qr·r + qm·lr + qo·o + qk = 0 in each, and
// a permutation that says which wires are equal. Columns are polynomials: the value in
// row i is the value at ωⁱ, ω of order n. A proof goes through six steps, a file each,
// whose comments have the equations:
//
//	solve.go   the wires' values; BSB22 commitments on the way
//	round1.go  commitments to the wires L, R, O           → β, γ
//	round2.go  commitment to the permutation's product Z  → α
//	round3.go  commitment to the quotient H, in three     → ζ
//	round4.go  values at ζ
//	round5.go  openings
//
// # Where the work is done
//
// Nearly all of the time goes into multi-exponentiations and number-theoretic
// transforms. They, and everything else that touches whole columns, are behind
// [Device]; rounds hold handles. Only the product Z, a recurrence over the rows, is
// computed in memory: the columns are there already, and it is a column more to upload.
//
// What depends on the circuit alone is computed once, by New: the fixed polynomials'
// coefficients and, unless [Options].LowMemory, their values on the three cosets where
// the quotient is computed. It isn't kept in a file: see RATIONALE.md.
//
// # What is hidden
//
// L, R, O, Z, the committed columns and the quotient's shares are blinded by random
// numbers, as many as the openings show, so that a proof tells nothing of the witness
// but the public words. Its making isn't constant in time: who measures the prover
// learns something of the witness.
package plonk
