// Package msm computes multi-exponentiations over the BN254 group G1, Σ s_i·P_i, for
// many scalar vectors over the same bases, as a prover's commitments are.
//
// [New] takes the bases once; [Bases.MultiExp] and, for several vectors at once,
// [Bases.MultiExps] compute. The results are gnark-crypto's; with the vector
// instructions AVX-512 IFMA ([Accelerated]) they take a third to a quarter of its
// processor time, and short negative scalars a fifteenth. Without these instructions
// vectors of mostly long scalars are left to gnark-crypto.
//
// # Buckets
//
// It is the bucket method (Bernstein, Doumen, Lange, Oosterwijk, "Faster batch forgery
// identification", https://eprint.iacr.org/2012/549, section 4; first by Pippenger).
// Scalars are cut into windows of w bits, so that a multi-exponentiation is Σ_k 2^(wk)
// times one with scalars d of w bits. In each, the points with the same digit d are
// first added up into a bucket S_d, and then the buckets to Σ_d d·S_d. The digits are
// signed, which halves the number of buckets: a point's opposite costs nothing.
//
// Scalars are first taken as integers between −r/2 and r/2, and a cost model chooses
// the windows by how many have how many bits: the wires of a quantized model, which are
// mostly short, zero or ±1, take one window, whichever sign they have, and the others
// read only the scalars that go beyond it. A bias, Σ 2^(wk+w−1), makes every window of
// scalar + bias the digit + 2^(w−1), without carries from window to window.
//
// # Batches of affine additions
//
// In affine coordinates an addition costs three multiplications and an inversion. Many
// independent additions share one inversion (Montgomery's trick, as a tree of
// products) at three multiplications each, and six in all are fewer than in any other
// coordinates. All six are the same operation on many elements, done eight to an
// instruction: numbers are cut into limbs of 52 bits, as the instructions want them
// (Gueron, Krasnov, "Accelerating big integer arithmetic using Intel IFMA extensions",
// 2016), when points are read, and are reduced below the modulus only when points are
// written (add_amd64.s). The same steps in gnark-crypto's fp.Vector, which converts and
// reduces in each, take three times as long; they are there for other processors.
//
// To find additions that don't wait for one another, a pass sorts its points by bucket
// and then halves all buckets at the same time, adding points in pairs until each bucket
// has one left. Weighing the buckets is made independent too: a weight is cut into two
// digits of half its bits, and the buckets are the points of a second
// multi-exponentiation with very few buckets.
//
// Equal points (doubled in the same batch), opposite and infinite ones are found by
// their zero denominator, and cost a little more; scalars and points that were chosen
// to meet there slow it down but can't stop it or change the result.
//
// # Memory and time
//
// The bases are the caller's slice. A computation holds 36 bytes for each scalar of the
// columns computed at the same time (together 2^20 scalars or one column), and for each
// worker 8 bytes a term of the largest pass, at most 9 MB for its buckets and 1 MB. It is
// left to the next computation and the garbage collector, the scalars wiped.
// gnark-crypto's method, one column at a time, leaves 36 MB of garbage for 2^17 terms,
// which is collected before the next; its digits aren't wiped.
//
// The method isn't constant in time: who can time a prover learns something of its
// witness, as with gnark-crypto's.
package msm
