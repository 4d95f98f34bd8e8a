// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

{{if not .Standalone -}}
import {VerifierCode} from "../script/VerifierCode.sol";
import {VerifyingKey} from "../script/VerifyingKey.sol";
{{end -}}
import {IModelVerifier} from "../src/IModelVerifier.sol";
{{- if not .Standalone}}
import {IZkmlVerifier} from "../src/IZkmlVerifier.sol";
{{- end}}
import {ModelVerifier} from "../src/ModelVerifier.sol";
import {Sample} from "./Sample.sol";

/// @title Tests of the verifier with a real proof
/// @notice Run with `forge test`. No library is needed: a test fails by reverting.
contract ModelVerifierTest {
    ModelVerifier private verifier;
{{- if not .Standalone}}
    IZkmlVerifier private reusable;
{{- end}}
{{- if .Weights}}

    /// @dev The digest of the weights that the sample is about.
    uint256 private constant WEIGHTS_DIGEST = {{.WeightsDigest}};
{{- end}}

    /// @notice Deploys the verifier before each test.
    function setUp() public {
{{- if .Standalone}}
        verifier = new ModelVerifier({{if .Weights}}WEIGHTS_DIGEST{{end}});
{{- else}}
        reusable = _create();
        bytes32 modelId = reusable.register(VerifyingKey.BLOB);
        verifier = new ModelVerifier(reusable{{if .Weights}}, WEIGHTS_DIGEST{{end}});
        require(verifier.MODEL_ID() == modelId, "another model");
{{- end}}
    }

    /// @notice The proof is accepted.
    function test_acceptsProof() public view {
{{- if .HasOutputs}}
        IModelVerifier.Outputs memory outputs = verifier.verify(Sample.PROOF, Sample.CONTEXT, Sample.tensors());
        require(keccak256(abi.encode(outputs)) == Sample.OUTPUTS_HASH, "other outputs");
{{- else}}
        verifier.verify(Sample.PROOF, Sample.CONTEXT{{if .Tensors}}, Sample.tensors(){{end}});
{{- end}}
    }
{{- if .HasPacked}}

    /// @notice The proof is accepted with packed tensors.
    function test_acceptsPackedProof() public view {
{{- if .HasOutputs}}
        IModelVerifier.Outputs memory outputs =
            verifier.verifyPacked(Sample.PROOF, Sample.CONTEXT, Sample.packedTensors());
        require(keccak256(abi.encode(outputs)) == Sample.OUTPUTS_HASH, "other outputs");
{{- else}}
        verifier.verifyPacked(Sample.PROOF, Sample.CONTEXT, Sample.packedTensors());
{{- end}}
    }
{{- end}}

    /// @notice A proof with a changed scalar is rejected.
    function test_rejectsTamperedProof() public view {
        bytes memory proof = Sample.PROOF;
        // The last byte of the first wire's evaluation, after six points.
        proof[6 * 64 + 31] ^= 0x01;
        _expect({{$.Errors}}.ProofRejected.selector, _call(proof, Sample.CONTEXT));
    }

    /// @notice A proof with a point off the curve is rejected.
    function test_rejectsPointOffCurve() public view {
        bytes memory proof = Sample.PROOF;
        proof[63] ^= 0x01;
        _expect({{if .Standalone}}IModelVerifier.MalformedProof{{else}}IZkmlVerifier.InvalidPoint{{end}}.selector, _call(proof, Sample.CONTEXT));
    }

    /// @notice A proof of another length is rejected.
    function test_rejectsWrongLength() public view {
        _expect(IModelVerifier.ProofLength.selector, _call(bytes.concat(Sample.PROOF, hex"00"), Sample.CONTEXT));
    }

    /// @notice A proof made for one context isn't accepted in another.
    function test_rejectsWrongContext() public view {
        _expect({{$.Errors}}.ProofRejected.selector, _call(Sample.PROOF, Sample.CONTEXT ^ 0x01));
    }

    /// @notice A context is below 2^248.
    function test_rejectsContextOutOfRange() public view {
        _expect(IModelVerifier.ContextOutOfRange.selector, _call(Sample.PROOF, Sample.CONTEXT | (1 << 248)));
    }
{{- with .FirstShown}}

    /// @notice A proof of one {{.Role}} isn't accepted for another.
    function test_rejectsOther{{title .Role}}() public view {
        IModelVerifier.PackedTensors memory packed = Sample.packedTensors();
        packed.{{.Field}}[0] ^= 0x01;
        bytes memory data = abi.encodeCall(IModelVerifier.verifyPacked, (Sample.PROOF, Sample.CONTEXT, packed));
        _expect({{$.Errors}}.ProofRejected.selector, _run(data));
    }

    /// @notice Nothing can be hidden in a word above its last element.
    function test_rejectsBitsAboveLastElement() public view {
        IModelVerifier.PackedTensors memory packed = Sample.packedTensors();
        packed.{{.Field}}[0] |= 1 << 255;
        bytes memory data = abi.encodeCall(IModelVerifier.verifyPacked, (Sample.PROOF, Sample.CONTEXT, packed));
        _expect(IModelVerifier.WordOutOfRange.selector, _run(data));
    }
{{- end}}
{{- if .Weights}}

    /// @notice A statement about other weights isn't even looked at.
    function test_rejectsOtherWeights() public view {
        IModelVerifier.Tensors memory tensors = Sample.tensors();
        tensors.{{.Weights.Field}} ^= 0x01;
        bytes memory data = abi.encodeCall(IModelVerifier.verify, (Sample.PROOF, Sample.CONTEXT, tensors));
        _expect(IModelVerifier.WeightsMismatch.selector, _run(data));
    }
{{- end}}
{{- if not .Standalone}}

    /// @notice The contract can't be created over a verifier that hasn't got the key.
    function test_rejectsUnregisteredModel() public {
        try new ModelVerifier(_create(){{if .Weights}}, WEIGHTS_DIGEST{{end}}) {
            revert("created");
        } catch (bytes memory answer) {
            _expect(IModelVerifier.ModelNotRegistered.selector, answer);
        }
    }

    /// @dev Creates zkml's verifier.
    /// @return created the verifier
    function _create() private returns (IZkmlVerifier created) {
        bytes memory creation = VerifierCode.CREATION;
        assembly ("memory-safe") {
            created := create(0, add(creation, 0x20), mload(creation))
        }
        require(address(created) != address(0), "not created");
    }
{{- end}}

    /// @dev Calls verify and returns what it reverts with.
    /// @param proof the proof
    /// @param context the first public word
    /// @return what the call reverts with
    function _call(bytes memory proof, uint256 context) private view returns (bytes memory) {
        return _run(abi.encodeCall(IModelVerifier.verify, (proof, context{{if .Tensors}}, Sample.tensors(){{end}})));
    }

    /// @dev Calls the verifier and returns what it reverts with.
    /// @param data the calldata
    /// @return what the call reverts with
    function _run(bytes memory data) private view returns (bytes memory) {
        (bool accepted, bytes memory answer) = address(verifier).staticcall(data);
        return accepted ? bytes("accepted") : answer;
    }

    /// @dev Fails unless the answer is the stated error.
    /// @param selector the error's selector
    /// @param answer what a call reverted with
    function _expect(bytes4 selector, bytes memory answer) private pure {
        require(bytes4(answer) == selector, "another error, or accepted");
    }
}
