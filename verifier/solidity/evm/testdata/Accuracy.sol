// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice zkml's verifier.
interface IZkmlVerifier {
    function verify(bytes32 modelId, uint256[] calldata publicWords, bytes calldata proof) external view;
}

/// @title How good are models that nobody sees, on samples that nobody sees?
/// @notice Whoever deploys this publishes the digests of a labelled data set. The owner of
/// hidden weights has it recorded on how many samples those weights are right. The key is the
/// digest of the weights, which a proof of an answer states as well: a consumer of answers
/// looks up the digest there. One key and one contract serve all trainings of the
/// architecture: the model's adapter would be bound to one, so this asks zkml's verifier
/// itself, with the public words in their order.
/// @dev The context is zero, and anyone may send a proof: the statement is about weights and
/// data and not about the sender, so it does no harm to send it again. Who pays a reward for
/// it has to bind the proof to the one it is for by the context.
contract Accuracy {
    IZkmlVerifier public immutable VERIFIER;
    bytes32 public immutable MODEL_ID;
    uint256 public immutable FEATURES;
    uint256 public immutable LABELS;

    /// @notice The number of right answers by the digest of the weights; zero if none is proven.
    mapping(uint256 weights => uint256 correct) public correctOf;

    event Proven(uint256 indexed weights, uint256 correct);

    /// @param modelId the model: its circuit over the data set, the samples, labels and
    /// weights hashed, the count shown
    /// @param features the digest of the samples
    /// @param labels the digest of their labels
    constructor(IZkmlVerifier verifier, bytes32 modelId, uint256 features, uint256 labels) {
        VERIFIER = verifier;
        MODEL_ID = modelId;
        FEATURES = features;
        LABELS = labels;
    }

    /// @notice Records the accuracy of hidden weights; reverts unless the proof shows it.
    function record(bytes calldata proof, uint256 weights, uint256 correct) external {
        uint256[] memory words = new uint256[](5);
        (words[1], words[2], words[3], words[4]) = (FEATURES, LABELS, correct, weights);
        VERIFIER.verify(MODEL_ID, words, proof);
        correctOf[weights] = correct;
        emit Proven(weights, correct);
    }
}
