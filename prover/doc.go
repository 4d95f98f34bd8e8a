// Package prover makes and checks proofs of a compiled model: set-up, proving,
// verification, and the files that carry keys and proofs.
//
// The proof system is gnark's PLONK over BN254 with KZG commitments; package
// prover/plonk makes its proofs. Its set-up is universal: one structured reference
// string (package prover/srs) serves every circuit of its size. [Setup] commits to a
// circuit's gates and gives a [ProvingKey] and a [VerifyingKey]; [Prove] makes a
// [Proof] from a witness, a [Prover] one after another; [Verify] checks it against
// what the verifier expects.
//
// # What a proof says
//
// The public words of a proof are the context, the shown or hashed inputs and
// outputs, and the digest of hashed weights, in the order of [circuit.Manifest].
// The verifying key is named by its [ModelID], the Keccak-256 of its canonical
// blob, which is the same in files, in Solidity and here. A proof that [Verify]
// accepts says: someone knows values of everything hidden with which the model of
// this id maps the inputs in the words to the outputs in the words.
//
// What it doesn't say: hidden weights that aren't hashed may be any weights in
// their intervals, and a hashed tensor is only as good as the digest that the
// verifier expects for it. [Verdict] lists both.
//
// # Files
//
// model.vk holds the blob and the public manifest, model.pk the same and the
// digest of the reference string, proof.json the proof, its words, and the values
// they mean "for reading only". Readers trust none of it: encodings are canonical,
// points lie on their curve, sizes are limited before anything is allocated, and
// whatever can be computed — the domain, the pairing's lines, the decoded values —
// is computed and compared, never believed.
package prover
