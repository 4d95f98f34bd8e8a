// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};
{{- if .Tensors}}

import {IModelVerifier} from "../src/IModelVerifier.sol";
{{- end}}

/// @title A proof that the verifier accepts, for the tests
library Sample {
    /// @notice The context that the proof was made for.
    uint256 internal constant CONTEXT = {{.Sample.Context}};

    /// @notice The proof.
    bytes internal constant PROOF =
{{hexLines "        " .Sample.Proof}};
{{- if .Tensors}}

    /// @notice The statement, elements in bytes.
    /// @return given the tensors
    function tensors() internal pure returns (IModelVerifier.Tensors memory given) {
{{- range $i, $t := .Tensors}}
{{- if $t.Shown}}
        given.{{$t.Field}} =
{{hexLines "            " (index $.Sample.Bytes $i)}};
{{- else}}
        given.{{$t.Field}} = {{index $.Sample.Digests $i}};
{{- end}}
{{- end}}
    }
{{- end}}
{{- if .HasPacked}}

    /// @notice The statement, elements packed in words.
    /// @return given the tensors
    function packedTensors() internal pure returns (IModelVerifier.PackedTensors memory given) {
{{- range $i, $t := .Tensors}}
{{- if $t.Shown}}
        given.{{$t.Field}} = new uint256[]({{$t.Words}});
{{- range $j, $word := index $.Sample.Words $i}}
        given.{{$t.Field}}[{{$j}}] = {{$word}};
{{- end}}
{{- else}}
        given.{{$t.Field}} = {{index $.Sample.Digests $i}};
{{- end}}
{{- end}}
    }
{{- end}}
{{- if .HasOutputs}}

    /// @notice keccak256 of abi.encode of the answer.
    bytes32 internal constant OUTPUTS_HASH = 0x{{.Sample.OutputsHash}};
{{- end}}
}
