// Package attacks tries to get false answers accepted: through [prover.Verify], and
// through the contract.
//
// # A dishonest prover
//
// Most attacks are on the constraints. The victim is a small program, compiled, set up
// and exported as any other. The forger has its circuit, its key and its reference
// string, and gnark's prover with a solver of its own that believes everything: hints
// lie, wires take whatever value suits it, and a row that doesn't hold is passed over.
// What comes out is a proof of a false witness, made like any other.
//
// Each attack says which constraints its lie breaks, all of them: rows by their gadget,
// and where the sum of a lookup table doesn't hold, the queries that are no entries. Then
//
//   - a build without those constraints, and no fewer, is set up. There the forged proof
//     is accepted, with the false answer in its public words: the attack is real, and
//     the test can fail;
//   - the honest prover refuses to prove the lie;
//   - the real build rejects the proof of the false witness, the weakened build's proof
//     under the real model's name, and an honest proof with the false public words.
//
// Nothing in package circuit can leave a constraint out: a weakened build is a circuit
// whose selectors were changed afterwards. Leaving a query out of a table's sum takes
// only its fraction out of it; what the commitment leaves out is replaced by zeros.
//
// Where the challenge is drawn too early, the forger waits for it: its late hint runs
// when gnark's prover has made the commitment. In the real build it tries both to guess
// the challenge and to wait, having committed to zeros in place of what it uses then.
//
// The other attacks change what a verifier is given: public words, files, calldata, keys.
// Beside each is a verifier without the check, which accepts.
package attacks
