// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IZkmlVerifier} from "./IZkmlVerifier.sol";
import {KEY_COMMITMENTS, KEY_PREVIOUS, KEY_WORDS, KeyRegistry} from "./KeyRegistry.sol";
import {Plonk, PROOF_COMMITTED, PROOF_PER_COMMITMENT} from "./Plonk.sol";
import {Bn254, R} from "./Bn254.sol";

/// @title Verifier of zkml proofs, for all models
/// @notice Verifies gnark's PLONK proofs over BN254 for verifying keys that were registered beforehand.
contract ZkmlVerifier is Plonk {
    /// @dev The selector and the heads of three arguments.
    uint256 private constant HEADS = 0x64;

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
