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
    function tensors() internal pure returns (IModelVerifier.Tensors memory) {
        return IModelVerifier.Tensors({
{{- range $i, $t := .Tensors}}
{{- if $i}},{{end}}
            {{$t.Field}}: {{if $t.Shown}}
{{hexLines "                " (index $.Sample.Bytes $i)}}
{{- else}}{{index $.Sample.Digests $i}}{{end}}
{{- end}}
        });
    }
{{- end}}
{{- if .HasPacked}}

    /// @notice The statement, elements packed in words.
    function packedTensors() internal pure returns (IModelVerifier.PackedTensors memory packed) {
{{- range $i, $t := .Tensors}}
{{- if $t.Shown}}
        packed.{{$t.Field}} = new uint256[]({{$t.Words}});
{{- range $j, $word := index $.Sample.Words $i}}
        packed.{{$t.Field}}[{{$j}}] = {{$word}};
{{- end}}
{{- else}}
        packed.{{$t.Field}} = {{index $.Sample.Digests $i}};
{{- end}}
{{- end}}
    }
{{- end}}
{{- if .HasOutputs}}

    /// @notice keccak256 of abi.encode of the answer.
    bytes32 internal constant OUTPUTS_HASH = 0x{{.Sample.OutputsHash}};
{{- end}}
}
