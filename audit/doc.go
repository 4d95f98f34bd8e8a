// Package audit looks for under-constrained wires: values that a compiled circuit leaves
// to the prover. Nothing in a constraint system says that a hint's output is bound; a
// circuit without one row proves wrong answers as readily as right ones.
//
// # By mutation
//
// [Run] takes an honest witness and changes one value that a prover may choose: an
// output of a hint call, an input that something else doesn't fix, or a wire that no row
// defines. The new values are 0, ± 1, ± 1/2 (which is about p/2), ± the size of each table
// that it is looked up in, ± what one unit of a neighbour is worth in a row that they
// share (where shifts and lanes show), its neighbour's value, and a random one; or all
// outputs of a call for another value of one of its inputs. Then it completes the change
// as an adversary would. It works through the rows and hint calls that the change
// reaches, in the order of the instructions: a row gives its own wire; a row that fails is made to hold by another output of the mutated call, where one
// unknown is left, with a way back; other hints follow honestly, or in a second attempt
// keep their values; multiplicities follow the queries. The result words may change:
// that is a forged answer.
//
// The challenge doesn't change from trial to trial. That is no loss: what is committed is
// chosen without looking at a row that has the challenge in it, and stays when such a row
// is reached; so a random challenge drawn before is as good as one drawn after. What the
// commitment doesn't determine, inputs too, may be chosen after it: by repairs of single
// rows, and, for a sample of the changes and for none, by a second adversary. It takes
// the committed values as they are and solves all other rows by elimination, in random
// orders, with one unknown at a time a root of a polynomial. So a value that isn't
// committed is made to meet the sum of its table or an identity.
//
// A lookup of a committed value that isn't in its table ends a trial, since the sums
// of its table reject it whatever the multiplicities. With Options.Exact only the rows of
// the sums count. Whatever satisfies all that it touched is evaluated again in every row.
//
// Systems of up to 2^12 rows are tried exhaustively, of larger ones a sample of at least
// 1,000 changes of each node, gadget and role, or all there are.
//
// # Exemptions
//
// A survivor is exempt if all that differs of the prover's choices are quotients, and
// no element of a tensor does: a quotient t of s·t = d is free where s and d are 0, and
// nothing else depends on it. No other exemption is needed: multiplicities are unique as
// the entries of a table are, and what is computed from the challenge is computed.
// Another hidden input within its interval is another statement, no survivor. Options.Strict
// exempts nothing.
//
// A given operand of a gadget that stands alone stays as it is, before the challenge and
// after it, unless the gadget binds it.
//
// # The static pass
//
// Beside that a static pass derives which wires the inputs determine by linear rows,
// lookups, and sums of ranged limbs, and lists the rest with a reason. What it lists are
// mostly the values of clamps and maxima, which products bind, and the results of linear
// maps, which challenges bind, and lanes: for their argument the interval of each right
// result must be known, which is narrower than what its limbs can hold. These are
// arguments that it doesn't know. Results of linear maps it takes for known in what
// follows.
//
// # Power
//
// [Power] deletes each kind of row and each kind of query from the audit's copy of a
// system and runs the audit on it. Circuits themselves can't be built without a row.
// make audit does so with every gadget, and fails if a deletion is neither detected nor
// explained in its list, or explained and detected.
//
// # What neither can find
//
//   - Forgeries that need two hint calls to lie in ways that don't follow from one
//     another, or a change of several values of which none follows by a row with one
//     unknown: roots of a system in several unknowns, a lattice of small solutions.
//   - A search after the challenge. Where each of N values that aren't committed is one
//     of two, there are 2^N sums, one of which may be what a table asks for. That is why
//     the differences of a maximum are committed though its product leaves few choices.
//   - Trials that are given up, which the result counts: above all changes that work
//     their way backwards through a hash.
//   - Values of an input that the honest witnesses don't come near: a row that matters
//     only at some value of the operand is missed if no witness has it.
//   - Whether an input's declared interval, a table's contents or a layer's weights are
//     the right ones: circuit and integer program are compared elsewhere.
//   - Weak challenges: that a challenge is a hash of the whole commitment, that two are
//     independent, that the error is small.
//   - Faults of the commitment scheme, of gnark's prover or of the verifier.
//   - Collisions of the hash.
package audit
