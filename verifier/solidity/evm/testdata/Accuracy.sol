// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The verifier of a model's circuit for a data set: hashed samples and labels,
/// hashed weights, shown count.
interface IAccuracyVerifier {
    struct PackedTensors {
        uint256 featuresDigest;
        uint256 labelsDigest;
        uint256[] correct;
        uint256 weightsDigest;
    }

    struct Outputs {
        int256[] correct;
    }

    function verifyPacked(bytes calldata proof, uint256 context, PackedTensors calldata tensors)
        external
        view
        returns (Outputs memory outputs);
}

/// @title How good are models that nobody sees, on samples that nobody sees?
/// @notice Whoever deploys this publishes the digests of a labelled data set. The owner of
/// hidden weights has it recorded on how many samples those weights are right. The key is the
/// digest of the weights, which a proof of an answer states as well: a consumer of answers
/// looks up the digest there. One key and one contract serve all trainings of the
/// architecture.
/// @dev The context is zero, and anyone may send a proof: the statement is about weights and
/// data and not about the sender, so it does no harm to send it again. Who pays a reward for
/// it has to bind the proof to the one it is for by the context.
contract Accuracy {
    IAccuracyVerifier public immutable VERIFIER;
    uint256 public immutable FEATURES;
    uint256 public immutable LABELS;

    /// @notice The number of right answers by the digest of the weights; zero if none is proven.
    mapping(uint256 weights => uint256 correct) public correctOf;

    event Proven(uint256 indexed weights, uint256 correct);

    /// @param features the digest of the samples
    /// @param labels the digest of their labels
    constructor(IAccuracyVerifier verifier, uint256 features, uint256 labels) {
        VERIFIER = verifier;
        FEATURES = features;
        LABELS = labels;
    }

    /// @notice Records the accuracy of hidden weights; reverts unless the proof shows it.
    function record(bytes calldata proof, uint256 weights, uint256 correct) external {
        uint256[] memory words = new uint256[](1);
        words[0] = correct;
        VERIFIER.verifyPacked(proof, 0, IAccuracyVerifier.PackedTensors(FEATURES, LABELS, words, weights));
        correctOf[weights] = correct;
        emit Proven(weights, correct);
    }
}
