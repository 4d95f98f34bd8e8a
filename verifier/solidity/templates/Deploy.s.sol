// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

{{if not .Standalone -}}
import {IZkmlVerifier} from "../src/IZkmlVerifier.sol";
{{end -}}
import {ModelVerifier} from "../src/ModelVerifier.sol";
{{- if not .Standalone}}
import {VerifierCode} from "./VerifierCode.sol";
import {VerifyingKey} from "./VerifyingKey.sol";
{{- end}}

/// @title The two cheatcodes of Foundry that a deployment needs
interface Vm {
    /// @notice Sends the calls that follow to the chain.
    function startBroadcast() external;

    /// @notice Ends that.
    function stopBroadcast() external;
}

/// @title Deploys the verifier
/// @notice forge script script/Deploy.s.sol --rpc-url URL --account NAME --broadcast
contract Deploy {
    /// @dev Foundry's cheatcode address: the low 20 bytes of keccak256("hevm cheat code").
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
{{- if not .Standalone}}

    /// @dev The deterministic deployment proxy: takes a salt and creation code.
    address private constant PROXY = 0x4e59b44847b379578588920cA78FbF26c0B4956C;

    /// @notice The proxy isn't on this chain, or didn't create the contract.
    /// @param expected where the contract should be
    error NotCreated(address expected);
{{- end}}
{{- if .Weights}}

    /// @notice The digest of the weights that proofs must be about.
    uint256 public constant WEIGHTS_DIGEST = {{.WeightsDigest}};
{{- end}}

    /// @notice Tells forge that this contract is a script.
    bool public constant IS_SCRIPT = true;
{{if .Standalone}}
    /// @notice Creates ModelVerifier, which creates gnark's verifier itself.
    /// @return adapter the contract to call
    function run() external returns (ModelVerifier adapter) {
        VM.startBroadcast();
        adapter = new ModelVerifier({{if .Weights}}WEIGHTS_DIGEST{{end}});
        VM.stopBroadcast();
    }
{{- else}}
    /// @notice Creates zkml's verifier, registers this model's key with it, and creates the
    /// model's own contract; what is there already stays as it is.
    /// @return adapter the contract to call
    function run() external returns (ModelVerifier adapter) {
        VM.startBroadcast();
        IZkmlVerifier verifier = IZkmlVerifier(_create(VerifierCode.CREATION));
        if (verifier.dataOf(keccak256(VerifyingKey.BLOB)) == address(0)) {
            // It returns the model id, and ModelVerifier can't be created unless that is registered.
            // slither-disable-next-line unused-return
            verifier.register(VerifyingKey.BLOB);
        }
        bytes memory arguments = abi.encode(verifier{{if .Weights}}, WEIGHTS_DIGEST{{end}});
        adapter = ModelVerifier(_create(bytes.concat(type(ModelVerifier).creationCode, arguments)));
        VM.stopBroadcast();
    }

    /// @dev Has the proxy create a contract with salt 0, unless it is there (EIP-1014).
    /// @param creation the contract's creation code, the constructor's arguments behind it
    /// @return created where the contract is
    function _create(bytes memory creation) private returns (address created) {
        bytes32 hash = keccak256(abi.encodePacked(hex"ff", PROXY, bytes32(0), keccak256(creation)));
        created = address(uint160(uint256(hash)));
        if (created.code.length == 0) {
            (bool done,) = PROXY.call(bytes.concat(bytes32(0), creation));
            if (!done || created.code.length == 0) {
                revert NotCreated(created);
            }
        }
    }
{{- end}}
}
