// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The verifier of the first model: hidden measurements, hashed probabilities.
interface IFirst {
    struct Tensors {
        uint256 probabilities;
    }

    function verify(bytes calldata proof, uint256 context, Tensors calldata tensors) external view;
}

/// @notice The verifier of the second model: hashed risk, shown urgency.
interface ISecond {
    struct PackedTensors {
        uint256 risk;
        uint256[] urgency;
    }

    struct Outputs {
        int256[] urgency;
    }

    function verifyPacked(bytes calldata proof, uint256 context, PackedTensors calldata tensors)
        external
        view
        returns (Outputs memory outputs);
}

/// @title Two models, one after the other
/// @notice A call that returns says that the second model gives the urgency for what the
/// first one answered; everything else reverts. There is one digest, so that the first
/// model's output can't be another tensor than the second one's input.
contract Pipeline {
    IFirst public immutable FIRST;
    ISecond public immutable SECOND;

    constructor(IFirst first, ISecond second) {
        FIRST = first;
        SECOND = second;
    }

    /// @param context the word that binds both proofs to one use
    /// @param link the digest of the tensor between the models
    /// @param answer the packed word of the urgency
    /// @return the urgency, in the second model's unit
    function urgency(
        uint256 context,
        bytes calldata firstProof,
        uint256 link,
        bytes calldata secondProof,
        uint256 answer
    ) external view returns (int256) {
        FIRST.verify(firstProof, context, IFirst.Tensors(link));
        uint256[] memory words = new uint256[](1);
        words[0] = answer;
        ISecond.Outputs memory outputs =
            SECOND.verifyPacked(secondProof, context, ISecond.PackedTensors(link, words));
        return outputs.urgency[0];
    }
}
