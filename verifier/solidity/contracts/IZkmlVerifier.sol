// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title Verifier of zkml proofs, for all models
/// @notice Anyone registers a model's verifying key; anyone verifies proofs for it. Nothing is owned,
/// nothing can be changed, and no call but `register` changes any state.
/// @dev Public words are those of zkml's format version 1: the context, the inputs, the outputs, the
/// digest of hashed weights. A proof is 768 + 96c bytes, c being the number of the key's commitments.
interface IZkmlVerifier {
    /// @notice A verifying key was registered.
    /// @param modelId The Keccak-256 of the key's blob.
    /// @param data The contract whose code is the blob.
    event Registered(bytes32 indexed modelId, address data);

    /// @notice No key of that id is registered.
    /// @param modelId The id that was asked for.
    error UnknownModel(bytes32 modelId);

    /// @notice The calldata isn't the standard ABI encoding of the arguments, byte for byte.
    error NonCanonicalCalldata();

    /// @notice A batch without proofs proves nothing.
    error EmptyBatch();

    /// @notice The three lists of a batch differ in length.
    /// @param modelIds The number of model ids.
    /// @param publicWords The number of lists of public words.
    /// @param proofs The number of proofs.
    error BatchLengths(uint256 modelIds, uint256 publicWords, uint256 proofs);

    /// @notice A key of the batch was made with another structured reference string than the first.
    /// @param index The proof's index in the batch.
    error DifferentSrs(uint256 index);

    /// @notice The model has another number of public words.
    /// @param index The proof's index in the batch, 0 for a single proof.
    /// @param got The number of words given.
    /// @param want The number of words that the key names.
    error WordCount(uint256 index, uint256 got, uint256 want);

    /// @notice The proof has a length that no proof for this key has.
    /// @param index The proof's index in the batch, 0 for a single proof.
    /// @param got The length given, in bytes.
    /// @param want The length without the digest that a batch may append, in bytes.
    error ProofLength(uint256 index, uint256 got, uint256 want);

    /// @notice A public word isn't below the order of the scalar field.
    /// @param index The proof's index in the batch, 0 for a single proof.
    /// @param word The word's index.
    error WordOutOfRange(uint256 index, uint256 word);

    /// @notice A claimed value of the proof isn't below the order of the scalar field.
    /// @param index The proof's index in the batch, 0 for a single proof.
    /// @param offset Where the value lies in the proof, in bytes.
    error ValueOutOfRange(uint256 index, uint256 offset);

    /// @notice A point of the proof isn't on the curve, is at infinity, or has a coordinate that isn't
    /// below the field's modulus.
    /// @param index The proof's index in the batch, 0 for a single proof.
    /// @param offset Where the point lies in the proof, in bytes.
    error InvalidPoint(uint256 index, uint256 offset);

    /// @notice The proof doesn't prove the public words; in a batch, at least one doesn't.
    error ProofRejected();

    /// @notice A precompiled contract failed, which valid arguments let it do only without gas.
    error PrecompileFailed();

    /// @notice The blob has another length than its number of commitments gives it.
    /// @param got The length given, in bytes.
    /// @param want The length that a blob of its number of commitments has.
    error KeyLength(uint256 got, uint256 want);

    /// @notice The blob doesn't begin with a zero byte, "zkml" and format version 1.
    error KeyFormat();

    /// @notice The size of the domain is out of range.
    /// @param log The binary logarithm of the size.
    error KeyDomain(uint256 log);

    /// @notice The number of public words is zero or doesn't fit into the domain.
    /// @param words The number of words.
    error KeyWords(uint256 words);

    /// @notice There are more commitments than this verifier takes.
    /// @param commitments The number of commitments.
    error KeyCommitments(uint256 commitments);

    /// @notice A commitment's row is outside the domain or not after the one before.
    /// @param commitment The commitment's index.
    error KeyRow(uint256 commitment);

    /// @notice A point of the key isn't on the curve, has a coordinate that isn't below the modulus, or
    /// is at infinity where that can't be.
    /// @param point The point's index: S1, S2, S3, Ql, Qr, Qm, Qo, Qk, then the commitments' selectors.
    error KeyPoint(uint256 point);

    /// @notice [τ]₂ isn't an element of the pairing's second group, or is its zero.
    error KeyTau();

    /// @notice The key was made with zkml's development string, whose secret is public.
    error DevelopmentSrs();

    /// @notice The data contract couldn't be created.
    error RegistrationFailed();

    /// @notice Registers a verifying key, which is then the code of a contract of its own.
    /// @dev Registering a key again changes nothing and returns its id.
    /// @param vk The key's canonical blob.
    /// @return modelId The Keccak-256 of the blob.
    function register(bytes calldata vk) external returns (bytes32 modelId);

    /// @notice Returns if the proof proves the public words for the model, reverts otherwise.
    /// @param modelId The model's id. Only a caller that knows which model it means learns anything.
    /// @param publicWords The public words, each below the order of the scalar field.
    /// @param proof The proof, 768 + 96c bytes.
    function verify(bytes32 modelId, uint256[] calldata publicWords, bytes calldata proof) external view;

    /// @notice Returns if every proof proves its public words for its model, reverts otherwise.
    /// @dev All keys must be of one structured reference string. Proofs of one model share work where
    /// they lie next to each other. A proof may be followed by 64 bytes, the digest of its linearised
    /// polynomial: it is checked with the rest, and costs less than computing it.
    /// @param modelIds The models' ids.
    /// @param publicWords The public words of each proof.
    /// @param proofs The proofs, each 768 + 96c bytes or 64 more.
    function verifyBatch(bytes32[] calldata modelIds, uint256[][] calldata publicWords, bytes[] calldata proofs)
        external
        view;

    /// @notice Returns the contract whose code is the key's blob.
    /// @param modelId The model's id.
    /// @return data The contract's address, zero if no key of that id is registered.
    function dataOf(bytes32 modelId) external view returns (address data);

    /// @notice Tells the test variant from the real one.
    /// @return accepts Whether keys made with the development string are registered, for which everyone
    /// can forge proofs.
    function acceptsDevelopmentSrs() external view returns (bool accepts);
}
