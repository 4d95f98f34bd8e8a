// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

{{if not .Standalone -}}
import {IZkmlVerifier} from "../src/IZkmlVerifier.sol";
{{end -}}
{{with .Template -}}
import {{"{"}}{{.Contract}}{{"}"}} from "../src/{{.Contract}}.sol";
{{end -}}
import {ModelVerifier} from "../src/ModelVerifier.sol";
{{- if not .Standalone}}
import {VerifierCode} from "./VerifierCode.sol";
import {VerifyingKey} from "./VerifyingKey.sol";
{{- end}}

/// @title The cheatcodes of Foundry that a deployment needs
/// @notice A contract that only forge has.
interface Vm {
    /// @notice Sends the calls that follow to the chain.
    function startBroadcast() external;

    /// @notice Ends that.
    function stopBroadcast() external;
{{- if not .Standalone}}

    /// @notice Asks the chain's node; without --rpc-url there is none.
    /// @param method the method's name
    /// @param params its arguments in JSON
    /// @return data the answer
    function rpc(string calldata method, string calldata params) external returns (bytes memory data);

    /// @notice Writes an address.
    /// @param value the address
    /// @return text the address in hexadecimal digits
    function toString(address value) external pure returns (string memory text);
{{- end}}
{{- range .Cheatcodes}}

    /// @notice Reads an environment variable; without it the script fails.
    /// @param name the variable's name
    /// @return value the variable's value
    function {{.Cheatcode}}(string calldata name) external view returns ({{.Type}} value);
{{- end}}
}

/// @title Deploys {{if .Template}}{{.Template.Contract}} and what it needs{{else}}the verifier{{end}}
/// @notice forge script script/Deploy.s.sol --rpc-url URL --account NAME --broadcast
{{- with .Template}}
{{- if .Settings}}
/// @dev The policy comes from environment variables:
{{- range .Settings}}
/// {{.Variable}} is {{.Meaning}}.
{{- end}}
{{- end}}
{{- end}}
contract Deploy {
    /// @dev Foundry's cheatcode address: the low 20 bytes of keccak256("hevm cheat code").
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
{{- if not .Standalone}}

    /// @dev The deterministic deployment proxy: takes a salt and creation code.
    address private constant PROXY = 0x4e59b44847b379578588920cA78FbF26c0B4956C;

    /// @notice The proxy isn't on this chain: zkml deploy creates it.
    error NoProxy();

    /// @notice The proxy didn't create the contract.
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
    /// @notice Creates ModelVerifier, which creates gnark's verifier itself
{{- with .Template}}, and {{.Contract}} over it{{end}}.
    /// @return adapter the contract {{if .Template}}that checks proofs{{else}}to call{{end}}
{{- with .Template}}
    /// @return consumer the contract to call
    function run() external returns (ModelVerifier adapter, {{.Contract}} consumer) {
{{- else}}
    function run() external returns (ModelVerifier adapter) {
{{- end}}
        VM.startBroadcast();
        adapter = new ModelVerifier({{if .Weights}}WEIGHTS_DIGEST{{end}});
{{- with .Template}}
{{- if eq .Name "lending"}}
        (address registrar, uint256 maxAge, LendingConsumer.Policy memory policy) = _settings();
        consumer = new LendingConsumer(adapter, registrar, maxAge, policy);
{{- else if eq .Name "eligibility"}}
        consumer = new EligibilityConsumer(
            adapter, VM.envAddress("REGISTRAR"), VM.envUint("MAX_AGE"), VM.envInt("YES"), VM.envUint("VALIDITY")
        );
{{- else if eq .Name "tictactoe"}}
        consumer = new TicTacToeConsumer(adapter, VM.envUint("TURN_SECONDS"));
{{- else}}
        consumer = new {{.Contract}}(adapter);
{{- end}}
{{- end}}
        VM.stopBroadcast();
    }
{{- else}}
    /// @notice Creates zkml's verifier, registers this model's key with it,{{if not .Template}} and{{end}} creates the
    /// model's own contract{{with .Template}}, and {{.Contract}} over it{{end}}; what is there already stays as it is.
    /// @return adapter the contract {{if .Template}}that checks proofs{{else}}to call{{end}}
{{- with .Template}}
    /// @return consumer the contract to call
    function run() external returns (ModelVerifier adapter, {{.Contract}} consumer) {
{{- else}}
    function run() external returns (ModelVerifier adapter) {
{{- end}}
        _requireProxy();
        VM.startBroadcast();
        IZkmlVerifier verifier = IZkmlVerifier(_create(VerifierCode.CREATION));
        if (verifier.dataOf(keccak256(VerifyingKey.BLOB)) == address(0)) {
            // It returns the model id, and ModelVerifier can't be created unless that is registered.
            // slither-disable-next-line unused-return
            verifier.register(VerifyingKey.BLOB);
        }
        bytes memory arguments = abi.encode(verifier{{if .Weights}}, WEIGHTS_DIGEST{{end}});
        adapter = ModelVerifier(_create(bytes.concat(type(ModelVerifier).creationCode, arguments)));
{{- with .Template}}
{{- if eq .Name "lending"}}
        (address registrar, uint256 maxAge, LendingConsumer.Policy memory policy) = _settings();
        arguments = abi.encode(adapter, registrar, maxAge, policy);
{{- else if eq .Name "eligibility"}}
        arguments = abi.encode(
            adapter, VM.envAddress("REGISTRAR"), VM.envUint("MAX_AGE"), VM.envInt("YES"), VM.envUint("VALIDITY")
        );
{{- else if eq .Name "tictactoe"}}
        arguments = abi.encode(adapter, VM.envUint("TURN_SECONDS"));
{{- else}}
        arguments = abi.encode(adapter);
{{- end}}
        consumer = {{.Contract}}(_create(bytes.concat(type({{.Contract}}).creationCode, arguments)));
{{- end}}
        VM.stopBroadcast();
    }
{{- end}}
{{- with .Template}}
{{- if eq .Name "lending"}}

    /// @dev Reads what LendingConsumer's constructor takes from the environment.
    /// @return registrar who appoints attesters
    /// @return maxAge for how many seconds an attestation is good
    /// @return policy what decides how far a factor goes
    function _settings()
        private
        view
        returns (address registrar, uint256 maxAge, LendingConsumer.Policy memory policy)
    {
        registrar = VM.envAddress("REGISTRAR");
        maxAge = VM.envUint("MAX_AGE");
        policy.baseFactor = VM.envUint("BASE_FACTOR");
        policy.maxFactor = VM.envUint("MAX_FACTOR");
        policy.maxStep = VM.envUint("MAX_STEP");
        policy.lowScore = VM.envInt("LOW_SCORE");
        policy.highScore = VM.envInt("HIGH_SCORE");
        policy.validity = VM.envUint("VALIDITY");
    }
{{- end}}
{{- end}}
{{- if not .Standalone}}

    /// @dev Reverts unless the proxy is on the chain: forge runs this script with a proxy where
    /// there is none, and sends transactions that would then do nothing.
    function _requireProxy() private {
        string memory params = string.concat("[\"", VM.toString(PROXY), "\", \"latest\"]");
        try VM.rpc("eth_getCode", params) returns (bytes memory code) {
            if (code.length == 0) {
                revert NoProxy();
            }
        } catch {
            // Without a chain this is a rehearsal.
            return;
        }
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
{{- if .Template}}
                _showReason(creation);
{{- end}}
                revert NotCreated(created);
            }
        }
    }
{{- if .Template}}

    /// @dev Reverts as a constructor does, if it does: the proxy keeps that to itself.
    /// @param creation the creation code
    function _showReason(bytes memory creation) private {
        assembly ("memory-safe") {
            if iszero(create(0, add(creation, 0x20), mload(creation))) {
                let answer := mload(0x40)
                returndatacopy(answer, 0, returndatasize())
                if returndatasize() { revert(answer, returndatasize()) }
            }
        }
    }
{{- end}}
{{- end}}
}
