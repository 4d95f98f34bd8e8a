// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

/// @title zkml's verifier, compiled
/// @notice {{.Reusable.Name}}, the same for every model, as zkml's repository builds it (verifier/solidity/contracts):
/// compiled again by other means it might have another address.
/// @custom:generator zkml. Not to be edited.
library VerifierCode {
    /// @notice Where the deterministic deployment proxy creates it, on every chain.
    address internal constant ADDRESS = {{.ReusableAddress}};

    /// @notice The code that creates it; it takes no arguments.
    bytes internal constant CREATION =
{{hexLines "        " .Reusable.Creation}};
}
