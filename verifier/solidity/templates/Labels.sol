// SPDX-License-Identifier: Apache-2.0
pragma solidity >=0.8.20;

/// @title Names of the classes that the model answers with
/// @notice Internal constants and functions: what isn't used costs nothing.
/// @custom:generator zkml, format version {{.Version}}. Not to be edited.
library Labels {
{{- range $i, $t := .Labelled}}
{{- if $i}}
{{end}}
    /// @notice The number of classes of output {{comment $t.Name}}.
    uint256 internal constant {{$t.Const}}_CLASSES = {{len $t.Labels}};
{{- range $j, $label := $t.Labels}}

    /// @notice Class {{$j}} of output {{comment $t.Name}}.
    string internal constant {{$t.Const}}_LABEL_{{$j}} = {{literal $label}};
{{- end}}

    /// @notice Names a class of output {{comment $t.Name}}.
    /// @param class the value of an element
    /// @return the label, empty if there is no such class
    function {{$t.Field}}Label(int256 class) internal pure returns (string memory) {
{{- range $j, $label := $t.Labels}}
        if (class == {{$j}}) return {{$t.Const}}_LABEL_{{$j}};
{{- end}}
        return "";
    }
{{- end}}
}
