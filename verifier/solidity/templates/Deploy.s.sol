// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

import {ModelVerifier} from "../src/ModelVerifier.sol";

/// @dev The two cheatcodes of Foundry that a deployment needs.
interface Vm {
    function startBroadcast() external;
    function stopBroadcast() external;
}

/// @title Deploys the verifier
/// @notice forge script script/Deploy.s.sol --rpc-url URL --account NAME --broadcast
contract Deploy {
    /// @dev Foundry's cheatcode address: the low 20 bytes of keccak256("hevm cheat code").
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Tells forge that this contract is a script.
    bool public constant IS_SCRIPT = true;

    /// @notice Creates ModelVerifier, which creates gnark's verifier itself.
    /// @return verifier the contract to call
    function run() external returns (ModelVerifier verifier) {
        VM.startBroadcast();
        verifier = new ModelVerifier();
        VM.stopBroadcast();
    }
}
