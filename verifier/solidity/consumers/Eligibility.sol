// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IZkmlVerifier, InferenceConsumer} from "./InferenceConsumer.sol";

/// @title Is somebody eligible, by data that nobody sees?
/// @notice A registrar (a clinic, a bank) publishes the salted digest of a person's data beforehand. The person
/// proves that the model answers yes for the data behind the digest: neither the data nor a no is shown.
/// @dev Public words: context, digest of the data, label (1 is yes).
contract Eligibility is InferenceConsumer {
    /// @notice Who registers data.
    address public immutable REGISTRAR;

    /// @notice The digest of a person's data, zero if none is registered.
    mapping(address person => uint256 digest) public registered;

    /// @notice Who has been proven eligible.
    mapping(address person => bool yes) public eligible;

    /// @notice Only the registrar may do that.
    error NotRegistrar(address caller);

    /// @notice No data of this person are registered.
    error NotRegistered(address person);

    /// @notice Binds the contract to its model for good.
    /// @param verifier zkml's verifier
    /// @param modelId the model whose answers count
    /// @param registrar who registers data
    constructor(IZkmlVerifier verifier, bytes32 modelId, address registrar) InferenceConsumer(verifier, modelId) {
        REGISTRAR = registrar;
    }

    /// @notice Registers the digest of a person's data; what was proven of earlier data no longer holds.
    /// @param person the person
    /// @param digest the digest of the data, with a salt
    function register(address person, uint256 digest) external {
        if (msg.sender != REGISTRAR) revert NotRegistrar(msg.sender);
        registered[person] = digest;
        delete eligible[person];
    }

    /// @notice Records that the model says yes for the caller's registered data.
    /// @param proof the proof
    /// @param nonce a number that the caller chooses
    /// @param deadline the last second in which the proof counts
    function prove(bytes calldata proof, uint256 nonce, uint256 deadline) external {
        uint256 digest = registered[msg.sender];
        if (digest == 0) revert NotRegistered(msg.sender);
        uint256[] memory words = new uint256[](3);
        (words[1], words[2]) = (digest, 1);
        _accept(words, proof, nonce, deadline);
        eligible[msg.sender] = true;
    }
}
