// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IZkmlVerifier, InferenceConsumer} from "./InferenceConsumer.sol";

/// @title Remembers what a model answered each caller last
contract LastAnswer is InferenceConsumer {
    /// @notice The last public word of the caller's last proof.
    mapping(address caller => uint256 word) public answerOf;

    constructor(IZkmlVerifier verifier, bytes32 modelId) InferenceConsumer(verifier, modelId) {}

    /// @notice Records the answer of a proof that was made for this call.
    function submit(uint256[] calldata words, bytes calldata proof, uint256 nonce, uint256 deadline) external {
        _accept(words, proof, nonce, deadline);
        answerOf[msg.sender] = words[words.length - 1];
    }
}
