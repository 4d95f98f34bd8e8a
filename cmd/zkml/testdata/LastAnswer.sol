// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the contract needs of zkml's verifier.
interface IZkmlVerifier {
    function verify(bytes32 modelId, uint256[] calldata publicWords, bytes calldata proof) external view;
}

/// @title Remembers what a model answered each caller last
/// @notice It takes each proof once and makes up the context as the consumer templates do, but
/// it asks zkml's verifier itself, with public words instead of a model's typed tensors: one
/// contract for any model.
contract LastAnswer {
    IZkmlVerifier public immutable VERIFIER;
    bytes32 public immutable MODEL_ID;

    mapping(uint256 context => bool used) public usedContext;

    /// @notice The last public word of the caller's last proof.
    mapping(address caller => uint256 word) public answerOf;

    error Expired(uint256 deadline);
    error ContextUsed(uint256 context);
    error NotToday(uint256 day);

    constructor(IZkmlVerifier verifier, bytes32 modelId) {
        VERIFIER = verifier;
        MODEL_ID = modelId;
    }

    /// @notice The context that a proof has to be made for.
    function contextOf(address caller, uint256 nonce, uint256 deadline) public view returns (uint256) {
        bytes32 hash = keccak256(abi.encode(block.chainid, address(this), caller, nonce, deadline));
        return uint256(hash) & type(uint248).max;
    }

    /// @notice Always reverts, with an error that no contract of zkml's has.
    function refuse(uint256 day) external pure {
        revert NotToday(day);
    }

    /// @notice Records the answer of a proof that was made for this call.
    function submit(uint256[] memory words, bytes calldata proof, uint256 nonce, uint256 deadline) external {
        if (block.timestamp > deadline) revert Expired(deadline);
        uint256 context = contextOf(msg.sender, nonce, deadline);
        if (usedContext[context]) revert ContextUsed(context);
        usedContext[context] = true;
        words[0] = context;
        VERIFIER.verify(MODEL_ID, words, proof);
        answerOf[msg.sender] = words[words.length - 1];
    }
}
