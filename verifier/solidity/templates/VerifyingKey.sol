// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

/// @title The verifying key of {{comment .ModelName}}
/// @notice What register of IZkmlVerifier takes, once for each chain.
/// @custom:generator zkml, format version {{.Version}}. Not to be edited.
library VerifyingKey {
    /// @notice The canonical blob; its keccak256 is the model id.
    bytes internal constant BLOB =
{{hexLines "        " .Key}};
}
