// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IZkmlVerifier} from "./IZkmlVerifier.sol";
import {KEY_COMMITMENTS, KEY_PREVIOUS, KEY_WORDS} from "./KeyRegistry.sol";
import {Plonk, PROOF_COMMITTED, PROOF_PER_COMMITMENT} from "./Plonk.sol";
import {Bn254, R} from "./Bn254.sol";

/// @title Verifier of zkml proofs, for all models
/// @notice Verifies gnark's PLONK proofs over BN254 for verifying keys that were registered beforehand.
/// @dev Why a call that returns means what it says, and what it doesn't say.
///
/// What is assumed. PLONK with KZG commitments is knowledge-sound for BN254 in the algebraic group model
/// with SHA-256 and Keccak-256 as random oracles, as long as nobody knows the secret τ of the key's
/// structured reference string. BN254 offers about 100 bits.
///
/// The key. A model id is the Keccak-256 of a blob, the blob the code of a contract that only `register`
/// creates, after checking all that can be checked without the circuit. So the id determines every number
/// that a proof is verified with; what a blob could misstate (ω, 1/n, the cosets' shift, the generators) it
/// doesn't hold. Who registers a key, and when, makes no difference: there is one contract for a blob,
/// nothing can change it, and a key registered by an attacker is a model id of the attacker's own. It
/// follows that AN ID MUST COME FROM WHOM THE CONSUMER TRUSTS: for a circuit that proves nothing, or a
/// string whose τ is known, there are keys too; and keys that differ in nothing but the digests of program
/// and manifest accept each other's proofs, as a proof hashes the circuit and not the digests. The
/// development string is refused because it is the one such string that honest people use.
///
/// The arguments. Each has one encoding: calldata is the standard encoding to the byte, words and values
/// are below R, coordinates below Q, points on the curve (which has prime order, so that no subgroup needs
/// checking) and not at infinity, lengths those that the key gives. Nothing reaches a precompiled contract
/// unchecked; none fails on it, so that a bad proof can't take the caller's gas with it.
///
/// One proof. γ, β, α, ζ and v are gnark's, over the same data. λ is computed, never given. With [Λ]
/// computed too, (1) and (2) in Plonk's comment are the equations of gnark's verifier, and the tests hold
/// both to the same verdicts.
///
/// Several proofs, and both equations of one. The equations are statements Eₖ = 0 about elements of a group
/// of prime order R, k < 3N. What is checked is Σ ρᵏ·Eₖ = 0. As a polynomial in ρ it has degree below
/// 3N, so that, if any Eₖ isn't zero, fewer than 3N of the R values of ρ pass. ρ is the Keccak-256 of the whole
/// calldata mod R: of the model ids, the words and every byte of the proofs, [W] and [W'] included. No Eₖ
/// can be chosen after ρ. A value mod R has probability at most 6·2^-256, so that a call that should fail
/// passes with probability below 18N·2^-256, that is N·2^-251, for each hash that an attacker computes: with
/// 2^100 hashes and a hundred proofs, below 2^-144. But for that, a batch is accepted if and
/// only if each of its proofs would be.
///
/// An appended [Λ]. v is hashed from it, so equation (3) must hold it to the sum that defines it; it
/// does, as one of the Eₖ. The scalars of (3) are fixed by α, ζ and the values, all hashed by ρ.
///
/// The fraction. Σ vᵢ/dᵢ is inverted for all proofs at once. A denominator of zero, for which ζ must hit
/// the domain, would make all of them zero: it reverts.
///
/// State and calls. `verify` and `verifyBatch` read storage once for each key, read code, and call
/// precompiled contracts 0x02, 0x05, 0x06, 0x07 and 0x08: there is nobody to re-enter. `register` runs creation
/// code that is its own. There is no owner, no upgrade and no ether.
///
/// What is left to the consumer. A proof is public once it is sent: it can be sent again, and by others,
/// unless the context, the first word, says for whom and for what it is. Whoever has a witness can make any
/// number of proofs of one statement: never take a proof's hash for a nullifier. Private weights are bound
/// to nothing, hashed ones to a digest that the consumer must compare.
contract ZkmlVerifier is Plonk {
    /// @dev The selector and the heads of three arguments.
    uint256 private constant HEADS = 0x64;

    /// @notice Fails on a chain that lacks a precompiled contract.
    /// @dev A call of an address without code succeeds and computes nothing; without sums of points every
    /// proof would hold. The pairing is tried by `register`.
    constructor() {
        // 2·[1]₁, which takes a product and a sum.
        uint256 sum = Bn254.newSum();
        Bn254.addMulGenerator(sum, 2);
        uint256 x;
        uint256 y;
        assembly ("memory-safe") {
            x := mload(sum)
            y := mload(add(sum, 0x20))
        }
        bool present = x == 0x030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3
            && y == 0x15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4 && Bn254.power(2, 10) == 1024
            && sha256("") == 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;
        if (!present) revert PrecompileFailed();
    }

    /// @inheritdoc IZkmlVerifier
    function verify(bytes32 modelId, uint256[] calldata publicWords, bytes calldata proof) external view {
        uint256 key = _load(modelId, 0);
        bool appended = _checkLengths(key, 0, publicWords.length, proof.length);
        uint256 words;
        uint256 start;
        bool canonical;
        assembly ("memory-safe") {
            words := publicWords.offset
            start := proof.offset
            canonical := eq(words, add(HEADS, 0x20))
            canonical := and(canonical, eq(start, add(add(words, shl(5, publicWords.length)), 0x20)))
            canonical := and(canonical, eq(calldatasize(), add(start, proof.length)))
        }
        if (!canonical) revert NonCanonicalCalldata();
        if (appended) revert ProofLength(0, proof.length, proof.length - 0x40);

        Batch memory batch = _newBatch();
        uint256 work = _absorb(batch, key, 0, words, start, false);
        _invert(batch);
        _settle(batch, work);
        _settleKey(batch, key);
        _check(batch, key);
    }

    /// @inheritdoc IZkmlVerifier
    function verifyBatch(bytes32[] calldata modelIds, uint256[][] calldata publicWords, bytes[] calldata proofs)
        external
        view
    {
        uint256 n = modelIds.length;
        if (n == 0) revert EmptyBatch();
        if (publicWords.length != n || proofs.length != n) revert BatchLengths(n, publicWords.length, proofs.length);
        Batch memory batch = _newBatch();
        (uint256[] memory works, uint256 key) = _absorbAll(batch, modelIds, publicWords, proofs);
        _invert(batch);
        while (n > 0) {
            unchecked {
                --n;
            }
            _settle(batch, works[n]);
        }
        uint256 last = key;
        while (key != 0) {
            _settleKey(batch, key);
            assembly ("memory-safe") {
                key := mload(add(key, KEY_PREVIOUS))
            }
        }
        _check(batch, last);
    }

    /// @dev Absorbs all proofs of a batch and returns them and the last key.
    function _absorbAll(
        Batch memory batch,
        bytes32[] calldata modelIds,
        uint256[][] calldata publicWords,
        bytes[] calldata proofs
    ) private view returns (uint256[] memory works, uint256 key) {
        works = new uint256[](modelIds.length);
        // Where the next list of words and the next proof must begin, each with its length.
        uint256 words;
        uint256 proof;
        uint256 canonical;
        assembly ("memory-safe") {
            let heads := shl(5, modelIds.length)
            canonical := eq(modelIds.offset, add(HEADS, 0x20))
            canonical := and(canonical, eq(publicWords.offset, add(add(modelIds.offset, heads), 0x20)))
            words := add(publicWords.offset, heads)
            proof := add(proofs.offset, heads)
        }
        for (uint256 i = 0; i < modelIds.length; ++i) {
            if (i == 0 || modelIds[i] != modelIds[i - 1]) {
                uint256 previous = key;
                key = _load(modelIds[i], previous);
                if (previous != 0 && !_sameSrs(previous, key)) revert DifferentSrs(i);
            }
            uint256 wordCount;
            uint256 proofLength;
            assembly ("memory-safe") {
                let head := shl(5, i)
                canonical := and(
                    canonical,
                    eq(add(publicWords.offset, calldataload(add(publicWords.offset, head))), words)
                )
                canonical := and(canonical, eq(add(proofs.offset, calldataload(add(proofs.offset, head))), proof))
                wordCount := calldataload(words)
                proofLength := calldataload(proof)
                words := add(words, 0x20)
                proof := add(proof, 0x20)
            }
            if (canonical == 0) revert NonCanonicalCalldata();
            bool appended = _checkLengths(key, i, wordCount, proofLength);
            works[i] = _absorb(batch, key, i, words, proof, appended);
            unchecked {
                words += wordCount << 5;
                proof += proofLength;
            }
        }
        assembly ("memory-safe") {
            canonical := and(canonical, eq(proofs.offset, add(words, 0x20)))
            canonical := and(canonical, eq(calldatasize(), proof))
        }
        if (canonical == 0) revert NonCanonicalCalldata();
    }

    /// @dev Reverts unless a proof and its words have the lengths that the key asks for.
    function _checkLengths(uint256 key, uint256 index, uint256 wordCount, uint256 proofLength)
        private
        pure
        returns (bool appended)
    {
        unchecked {
            uint256 wantWords;
            uint256 wantProof;
            assembly ("memory-safe") {
                wantWords := mload(add(key, KEY_WORDS))
                wantProof := add(PROOF_COMMITTED, mul(mload(add(key, KEY_COMMITMENTS)), PROOF_PER_COMMITMENT))
            }
            if (wordCount != wantWords) revert WordCount(index, wordCount, wantWords);
            appended = proofLength == wantProof + 0x40;
            if (proofLength != wantProof && !appended) revert ProofLength(index, proofLength, wantProof);
        }
    }

    /// @dev Starts a batch: ρ is the hash of the calldata, which is canonical.
    function _newBatch() private pure returns (Batch memory batch) {
        uint256 rho;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            calldatacopy(buffer, 0, calldatasize())
            rho := mod(keccak256(buffer, calldatasize()), R)
        }
        batch.digests = Bn254.newSum();
        batch.quotients = Bn254.newSum();
        batch.rho = rho;
        batch.weight = 1;
        batch.product = 1;
    }
}
