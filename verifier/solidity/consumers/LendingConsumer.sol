// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

import {AttestedInputs} from "./AttestedInputs.sol";
import {IModelVerifier} from "./IModelVerifier.sol";
import {InferenceConsumer} from "./InferenceConsumer.sol";

/// @title Collateral factors that move with a proven credit score
/// @notice A borrower proves the model's score of features that stay hidden and whose digest
/// an attester published. The borrower's collateral factor then moves towards what the score
/// deserves, by no more than MAX_STEP for each attestation, and never above MAX_FACTOR.
/// @dev Borrowers don't send bad scores. So a factor is good for VALIDITY seconds and then
/// falls back to BASE_FACTOR, a score that deserves less than the factor doesn't prolong it,
/// and only the last attestation counts. The steps of a factor are of one term of office: it
/// ends with it, and a score that another attester vouches for starts from BASE_FACTOR.
///
/// This is the part of a lending protocol that decides on the factor: the market asks
/// borrowLimit before it lends. The factor can fall at once, so let a position be liquidated
/// by a threshold above MAX_FACTOR and not by this one.
contract LendingConsumer is InferenceConsumer, AttestedInputs {
    /// @notice What decides how far a factor goes.
    /// @dev Factors are in basis points of the collateral's value; scores are real values times
    /// ONE.
    struct Policy {
        // the factor of who has proven nothing, or too long ago
        uint256 baseFactor;
        // the factor that the best score leads to
        uint256 maxFactor;
        // how far one attested score moves a factor
        uint256 maxStep;
        // the score, and all below it, that deserves no more than baseFactor
        int256 lowScore;
        // the score, and all above it, that deserves maxFactor
        int256 highScore;
        // for how many seconds a factor is good
        uint256 validity;
    }

    /// @notice What the contract keeps of a borrower.
    /// @dev The factor in basis points, the time until which it is good, and the term of office
    /// in which the features were attested.
    struct Standing {
        uint64 factor;
        uint64 validUntil;
        uint64 term;
    }

    /// @notice The factor 1: a debt of the collateral's full value.
    uint256 public constant BASIS_POINTS = 10_000;

    /// @notice The factor of who has proven nothing, or too long ago.
    uint256 public immutable BASE_FACTOR;

    /// @notice The factor that the best score leads to.
    uint256 public immutable MAX_FACTOR;

    /// @notice How far one attested score moves a factor.
    uint256 public immutable MAX_STEP;

    /// @notice The score, and all below it, that deserves no more than BASE_FACTOR.
    int256 public immutable LOW_SCORE;

    /// @notice The score, and all above it, that deserves MAX_FACTOR.
    int256 public immutable HIGH_SCORE;

    /// @notice For how many seconds a factor is good.
    uint256 public immutable VALIDITY;

    /// @notice Each borrower's last factor: collateralFactor says whether it still counts.
    mapping(address borrower => Standing standing) public standingOf;

    /// @notice A borrower's factor moved.
    /// @param borrower who proved a score
    /// @param score the score's real value times ONE
    /// @param factor the new factor in basis points
    event FactorMoved(address indexed borrower, int256 score, uint256 factor);

    /// @notice The policy contradicts itself.
    error InvalidPolicy();

    /// @notice Sets the policy, for good.
    /// @param verifier the model's adapter
    /// @param registrar who appoints attesters
    /// @param maxAge for how many seconds attested features are good
    /// @param policy how far a factor goes
    constructor(IModelVerifier verifier, address registrar, uint256 maxAge, Policy memory policy)
        InferenceConsumer(verifier)
        AttestedInputs(registrar, maxAge)
    {
        // Scores of 192 bits leave room for the products of deservedFactor.
        if (
            policy.baseFactor > policy.maxFactor || policy.maxFactor >= BASIS_POINTS || policy.maxStep == 0
                || policy.lowScore < type(int192).min || policy.lowScore >= policy.highScore
                || policy.highScore > type(int192).max || policy.validity == 0 || policy.validity > type(uint32).max
        ) {
            revert InvalidPolicy();
        }
        BASE_FACTOR = policy.baseFactor;
        MAX_FACTOR = policy.maxFactor;
        MAX_STEP = policy.maxStep;
        LOW_SCORE = policy.lowScore;
        HIGH_SCORE = policy.highScore;
        VALIDITY = policy.validity;
    }

    /// @notice Moves the caller's factor by the score of the caller's attested features.
    /// zkml submit --call 'updateFactor(proof,uint256:NONCE,uint256:DEADLINE,tensors)' sends it.
    /// @param proof the proof, made for contextOf(caller, nonce, deadline)
    /// @param nonce the nonce of the context
    /// @param deadline the deadline of the context
    /// @param tensors the statement: the digest of the features and the score
    /// @return factor the new factor in basis points
    function updateFactor(
        bytes calldata proof,
        uint256 nonce,
        uint256 deadline,
        IModelVerifier.Tensors calldata tensors
    ) external returns (uint256 factor) {
        IModelVerifier.Outputs memory outputs = _infer(proof, nonce, deadline, tensors);
        uint64 term = _useAttestation(msg.sender, tensors.{{.Hashed.Field}});
        int256 score = _{{.Answer.Field}}Real(outputs.{{.Answer.Field}}[0]);
        Standing memory standing = standingOf[msg.sender];
        uint256 deserved = deservedFactor(score);
        factor = _step(standing.term == term ? collateralFactor(msg.sender) : BASE_FACTOR, deserved);
        if (factor <= deserved) {
            standing.validUntil = uint64(block.timestamp + VALIDITY);
        }
        standingOf[msg.sender] = Standing(uint64(factor), standing.validUntil, term);
        emit FactorMoved(msg.sender, score, factor);
    }

    /// @notice How much a borrower may owe.
    /// @param borrower who borrows
    /// @param collateral the value of the borrower's collateral
    /// @return the greatest debt, in the collateral's unit
    function borrowLimit(address borrower, uint256 collateral) external view returns (uint256) {
        return collateral * collateralFactor(borrower) / BASIS_POINTS;
    }

    /// @notice A borrower's factor now.
    /// @param borrower who borrows
    /// @return the factor in basis points
    function collateralFactor(address borrower) public view returns (uint256) {
        Standing memory standing = standingOf[borrower];
        bool good = block.timestamp <= standing.validUntil && isRunning[standing.term];
        return good ? standing.factor : BASE_FACTOR;
    }

    /// @notice The factor that a score leads to in the end: linear between LOW_SCORE and
    /// HIGH_SCORE.
    /// @param score the score's real value times ONE
    /// @return the factor in basis points
    function deservedFactor(int256 score) public view returns (uint256) {
        if (score <= LOW_SCORE) {
            return BASE_FACTOR;
        }
        if (score >= HIGH_SCORE) {
            return MAX_FACTOR;
        }
        uint256 part = uint256(score - LOW_SCORE);
        return BASE_FACTOR + (MAX_FACTOR - BASE_FACTOR) * part / uint256(HIGH_SCORE - LOW_SCORE);
    }

    /// @dev Forgets what was proven of a subject's input.
    /// @param subject whose input it was
    function _withdrawn(address subject) internal override {
        delete standingOf[subject];
    }

    /// @dev Goes from one factor towards another, by MAX_STEP at most.
    /// @param from the factor now
    /// @param to the factor deserved
    /// @return the factor in between
    function _step(uint256 from, uint256 to) private view returns (uint256) {
        if (to > from) {
            return to - from > MAX_STEP ? from + MAX_STEP : to;
        }
        return from - to > MAX_STEP ? from - MAX_STEP : to;
    }
}
