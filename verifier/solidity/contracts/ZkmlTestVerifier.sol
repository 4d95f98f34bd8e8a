// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IZkmlVerifier} from "./IZkmlVerifier.sol";
import {KeyRegistry} from "./KeyRegistry.sol";
import {ZkmlVerifier} from "./ZkmlVerifier.sol";

/// @title Test variant of the verifier
/// @notice Registers keys made with the development string, for which everyone can forge proofs. Nothing of
/// value may rest on it: ask a verifier for `acceptsDevelopmentSrs`, or compare its code, before trusting it.
contract ZkmlTestVerifier is ZkmlVerifier {
    /// @inheritdoc IZkmlVerifier
    function acceptsDevelopmentSrs() public pure override(KeyRegistry) returns (bool accepts) {
        return true;
    }
}
