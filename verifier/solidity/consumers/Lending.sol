// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IZkmlVerifier, InferenceConsumer} from "./InferenceConsumer.sol";

/// @title Collateral factors by a proven credit score
/// @notice The model's input is hashed, its score is shown. A score of numbers that the borrower makes up is
/// worth nothing, so the digest of the features comes from an attester, who has checked them; the borrower
/// proves what the model says of the numbers behind it, without showing them.
/// @dev Public words: context, digest of the features, score. The loan itself is left out.
contract Lending is InferenceConsumer {
    /// @notice Who vouches for features.
    address public immutable ATTESTER;

    /// @notice The digest of a borrower's features, zero if nobody vouches for any.
    mapping(address borrower => uint256 digest) public attested;

    /// @notice What part of the collateral's value can be borrowed, in basis points.
    mapping(address borrower => uint256 factor) public collateralFactor;

    /// @notice The bits of a score, its least value, and the score from which the best factor is given.
    uint256 public immutable SCORE_BITS;
    int256 public immutable SCORE_LO;
    int256 public immutable GOOD_SCORE;

    uint256 private constant FACTOR = 5_000;
    uint256 private constant BEST_FACTOR = 8_000;

    /// @notice Only the attester may do that.
    error NotAttester(address caller);

    /// @notice Nobody vouches for features of this borrower.
    error NotAttested(address borrower);

    /// @notice The score isn't an element of the model's output.
    error ScoreOutOfRange(uint256 score);

    /// @notice Binds the contract to its model for good.
    /// @param verifier zkml's verifier
    /// @param modelId the model whose answers count
    /// @param attester who vouches for features
    /// @param scoreBits the bits of a score
    /// @param scoreLo the least score
    /// @param goodScore the score from which the best factor is given
    constructor(
        IZkmlVerifier verifier,
        bytes32 modelId,
        address attester,
        uint256 scoreBits,
        int256 scoreLo,
        int256 goodScore
    ) InferenceConsumer(verifier, modelId) {
        ATTESTER = attester;
        SCORE_BITS = scoreBits;
        SCORE_LO = scoreLo;
        GOOD_SCORE = goodScore;
    }

    /// @notice Publishes the digest of a borrower's features, which replaces an earlier one: what was proven of
    /// that no longer holds.
    /// @param borrower the borrower
    /// @param digest the digest of the features, with a salt
    function attest(address borrower, uint256 digest) external {
        if (msg.sender != ATTESTER) revert NotAttester(msg.sender);
        attested[borrower] = digest;
        delete collateralFactor[borrower];
    }

    /// @notice Sets the caller's collateral factor by the score of the features that the attester vouches for.
    /// @param proof the proof
    /// @param score the word of the score
    /// @param nonce a number that the caller chooses
    /// @param deadline the last second in which the proof counts
    function submitScore(bytes calldata proof, uint256 score, uint256 nonce, uint256 deadline) external {
        uint256 digest = attested[msg.sender];
        if (digest == 0) revert NotAttested(msg.sender);
        if (score >> SCORE_BITS != 0) revert ScoreOutOfRange(score);
        uint256[] memory words = new uint256[](3);
        (words[1], words[2]) = (digest, score);
        _accept(words, proof, nonce, deadline);
        bool good = _element(score, 0, SCORE_BITS, SCORE_LO) >= GOOD_SCORE;
        collateralFactor[msg.sender] = good ? BEST_FACTOR : FACTOR;
    }
}
