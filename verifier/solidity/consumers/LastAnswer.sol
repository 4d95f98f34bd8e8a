// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

import {IModelVerifier} from "./IModelVerifier.sol";
import {InferenceConsumer} from "./InferenceConsumer.sol";

/// @title Remembers what the model answered each caller last
/// @notice The least that can be done with an answer that is taken once.
/// @dev The caller chooses the inputs, which may be made up. A contract that acts on an answer
/// has to care where they come from: it packs them itself, or knows their digest.
contract LastAnswer is InferenceConsumer {
    /// @notice An answer.
    /// @dev When it was given
{{- if .Tensors}}, keccak256 of abi.encode of the statement{{end}}
{{- if .Storable}}, and the outputs{{end}}.
    struct Answer {
        uint256 time;
{{- if .Tensors}}
        bytes32 statement;
{{- end}}
{{- if .Storable}}
        IModelVerifier.Outputs outputs;
{{- end}}
    }

    /// @dev The last answer of each caller.
    mapping(address caller => Answer answer) private _answers;

    /// @notice The model answered.
    /// @param caller who proved it
    /// @param context the context of the proof
    event Answered(address indexed caller, uint256 indexed context);

    /// @notice Binds the contract to the model's adapter, for good.
    /// @param verifier the model's adapter
    constructor(IModelVerifier verifier) InferenceConsumer(verifier) {}

    /// @notice Remembers an answer.
    /// zkml submit --call '{{.SubmitCall}}' sends it.
    /// @param proof the proof, made for contextOf(caller, nonce, deadline)
    /// @param nonce the nonce of the context
    /// @param deadline the deadline of the context
{{- if .Tensors}}
    /// @param tensors the statement
{{- end}}
    function submit(bytes calldata proof, uint256 nonce, uint256 deadline
{{- if .Tensors}}, IModelVerifier.Tensors calldata tensors)
        external
    {
{{- else}}) external {
{{- end}}
{{- if .Storable}}
        IModelVerifier.Outputs memory outputs = _infer(proof, nonce, deadline, tensors);
{{- else}}
        _infer(proof, nonce, deadline{{if .Tensors}}, tensors{{end}});
{{- end}}
        Answer storage answer = _answers[msg.sender];
        answer.time = block.timestamp;
{{- if .Tensors}}
        answer.statement = keccak256(abi.encode(tensors));
{{- end}}
{{- if .Storable}}
        answer.outputs = outputs;
{{- end}}
        emit Answered(msg.sender, contextOf(msg.sender, nonce, deadline));
    }

    /// @notice What the model answered somebody last.
    /// @param caller who proved it
    /// @return the answer; its time is zero if there is none
    function answerOf(address caller) external view returns (Answer memory) {
        return _answers[caller];
    }
}
