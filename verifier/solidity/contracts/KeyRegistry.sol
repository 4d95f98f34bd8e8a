// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bn254, MAX_LOG, Q, R} from "./Bn254.sol";
import {IZkmlVerifier} from "./IZkmlVerifier.sol";

/// @dev A key in memory: these words, then the blob, then a scalar for each of its points.
uint256 constant KEY_WORDS = 0x00; // number of public words
uint256 constant KEY_COMMITMENTS = 0x20; // c
uint256 constant KEY_LOG = 0x40; // log2 n, n being the size of the domain
uint256 constant KEY_OMEGA = 0x60; // ω, which generates the domain
uint256 constant KEY_INVERSE_N = 0x80; // 1/n
uint256 constant KEY_POINTS = 0xa0; // where [S1] [S2] [S3] [Ql] [Qr] [Qm] [Qo] [Qk] [Qcp…] [τ]₂ lie
uint256 constant KEY_SCALARS = 0xc0; // where the scalars of [S1] to [Qcp…] lie
uint256 constant KEY_PREVIOUS = 0xe0; // the key loaded before, 0 for the first
uint256 constant KEY_BLOB = 0x100;

/// @title The verifying keys of all models
/// @notice A key is data: its canonical blob is the code of a contract of its own, named by its hash.
/// @dev The blob, big-endian, with nothing else in it:
///
///     0  00 "zkml"
///     5  uint16   format version
///     7  32 bytes digest of the program
///    39  32 bytes digest of the manifest, which says what the public words mean
///    71  uint32   log2 n
///    75  uint32   number of public words
///    79  uint32   number of commitments, c
///    83  uint32   row of each commitment, counted after the rows of the public words
///        64 bytes each of [S1] [S2] [S3] [Ql] [Qr] [Qm] [Qo] [Qk] and c [Qcp]: x, y
///        128 bytes [τ]₂ in EIP-197's order: x imaginary, x real, y imaginary, y real
///
/// ω, 1/n, the shift of the cosets and the generators of the groups aren't in it: a key can't choose them.
/// The first byte is the opcode STOP, so that calling a data contract does nothing. A data contract can't
/// change or vanish: its code has no SELFDESTRUCT that could be reached, and its id is its EXTCODEHASH.
abstract contract KeyRegistry is IZkmlVerifier {
    /// @dev The length of the blob up to the rows.
    uint256 private constant HEADER = 83;

    /// @dev 00 "zkml" and version 1.
    uint256 private constant TAG = 0x007a6b6d6c0001;

    /// @dev The largest number of commitments, as everywhere in zkml.
    uint256 private constant MAX_COMMITMENTS = 64;

    /// @dev [τ]₂ of zkml's development string, whose secret is hashed from a published seed: the imaginary
    /// part of its x.
    uint256 private constant DEVELOPMENT_X1 = 0x1bac6d88e92c2e606a098e55823d4e6efed5b8429b9c89437baa9295033b7c42;
    /// @dev The real part of its x.
    uint256 private constant DEVELOPMENT_X0 = 0x230b4d29baafbcd4881685f07e7ee01bd461fa8f7165237150d4606bb640c47e;
    /// @dev The imaginary part of its y.
    uint256 private constant DEVELOPMENT_Y1 = 0x2d7ab8e6c82aec1789f70664e7bd20c450141d9be28d20eb7f3c9bbfb18da50e;
    /// @dev The real part of its y.
    uint256 private constant DEVELOPMENT_Y0 = 0x1bc4d7bbeb549c38b5fa2064a3469bbf9a417d86ad333d96f19c656553012c9f;

    /// @inheritdoc IZkmlVerifier
    mapping(bytes32 modelId => address data) public dataOf;

    /// @inheritdoc IZkmlVerifier
    function register(bytes calldata vk) external returns (bytes32 modelId) {
        modelId = keccak256(vk);
        if (dataOf[modelId] != address(0)) return modelId;
        _checkKey(vk);
        address data = _create(vk);
        dataOf[modelId] = data;
        emit Registered(modelId, data);
    }

    /// @inheritdoc IZkmlVerifier
    function acceptsDevelopmentSrs() public pure virtual returns (bool accepts) {
        return false;
    }

    /// @dev Reads a registered key into memory.
    function _load(bytes32 modelId, uint256 previous) internal view returns (uint256 key) {
        address data = dataOf[modelId];
        if (data == address(0)) revert UnknownModel(modelId);
        uint256 log;
        assembly ("memory-safe") {
            key := mload(0x40)
            let size := extcodesize(data)
            let blob := add(key, KEY_BLOB)
            extcodecopy(data, blob, 0, size)
            // log2 n, the number of words and c, 4 bytes each
            let counts := mload(add(blob, 71))
            log := shr(224, counts)
            let commitments := and(shr(160, counts), 0xffffffff)
            mstore(add(key, KEY_WORDS), and(shr(192, counts), 0xffffffff))
            mstore(add(key, KEY_COMMITMENTS), commitments)
            mstore(add(key, KEY_LOG), log)
            // n divides R - 1, and n·(R - 1)/n = -1
            mstore(add(key, KEY_INVERSE_N), sub(R, shr(log, sub(R, 1))))
            mstore(add(key, KEY_POINTS), add(add(blob, HEADER), shl(2, commitments)))
            mstore(add(key, KEY_PREVIOUS), previous)
            let scalars := and(add(add(blob, size), 0x1f), not(0x1f))
            let scalarBytes := shl(5, add(8, commitments))
            mstore(add(key, KEY_SCALARS), scalars)
            calldatacopy(scalars, calldatasize(), scalarBytes) // zeros
            mstore(0x40, add(scalars, scalarBytes))
        }
        uint256 omega = Bn254.rootOfUnity(log);
        assembly ("memory-safe") {
            mstore(add(key, KEY_OMEGA), omega)
        }
    }

    /// @dev The row of a key's commitment among all rows: those of the public words come first.
    function _row(uint256 key, uint256 commitment) internal pure returns (uint256 row) {
        assembly ("memory-safe") {
            row := shr(224, mload(add(add(key, add(KEY_BLOB, HEADER)), shl(2, commitment))))
            row := add(row, mload(add(key, KEY_WORDS)))
        }
    }

    /// @dev Whether two keys in memory were made with one structured reference string.
    function _sameSrs(uint256 a, uint256 b) internal pure returns (bool same) {
        assembly ("memory-safe") {
            let tauA := add(mload(add(a, KEY_POINTS)), add(0x200, shl(6, mload(add(a, KEY_COMMITMENTS)))))
            let tauB := add(mload(add(b, KEY_POINTS)), add(0x200, shl(6, mload(add(b, KEY_COMMITMENTS)))))
            same := eq(keccak256(tauA, 0x80), keccak256(tauB, 0x80))
        }
    }

    /// @dev Reverts unless a blob is a key's. What it can't check is whether the polynomials are those of
    /// the program that the key names: who uses a model id must have it from whom they trust.
    function _checkKey(bytes calldata vk) private view {
        if (vk.length < HEADER) revert KeyLength(vk.length, HEADER);
        if (uint256(bytes32(vk[:7])) >> 200 != TAG) revert KeyFormat();
        uint256 log = uint32(bytes4(vk[71:75]));
        uint256 words = uint32(bytes4(vk[75:79]));
        uint256 commitments = uint32(bytes4(vk[79:83]));
        if (log < 1 || log > MAX_LOG) revert KeyDomain(log);
        if (words < 1 || words > 1 << log) revert KeyWords(words);
        if (commitments > MAX_COMMITMENTS) revert KeyCommitments(commitments);
        uint256 points = HEADER + 4 * commitments;
        uint256 tau = points + 64 * (8 + commitments);
        if (vk.length != tau + 128) revert KeyLength(vk.length, tau + 128);

        uint256 next = 0;
        for (uint256 i = 0; i < commitments; ++i) {
            uint256 row = uint32(bytes4(vk[HEADER + 4 * i:]));
            if (row < next || row + words >= 1 << log) revert KeyRow(i);
            next = row + 1;
        }
        for (uint256 i = 0; i < 8 + commitments; ++i) {
            uint256 x = uint256(bytes32(vk[points + 64 * i:]));
            uint256 y = uint256(bytes32(vk[points + 64 * i + 32:]));
            // A selector that is zero everywhere has its commitment at infinity.
            bool zeroSelector = i >= 3 && i < 8 && x == 0 && y == 0;
            if (!zeroSelector && !_onCurve(x, y)) revert KeyPoint(i);
        }
        _checkTau(vk[tau:]);
    }

    /// @dev Whether coordinates are those of a point on the curve other than infinity.
    function _onCurve(uint256 x, uint256 y) internal pure returns (bool) {
        return x < Q && y < Q && mulmod(y, y, Q) == addmod(mulmod(mulmod(x, x, Q), x, Q), 3, Q);
    }

    /// @dev Reverts unless [τ]₂ is one that proofs can rest on.
    function _checkTau(bytes calldata encoded) private view {
        uint256[4] memory tau = abi.decode(encoded, (uint256[4]));
        uint256 place;
        assembly ("memory-safe") {
            place := tau
        }
        for (uint256 i = 0; i < 4; ++i) {
            if (tau[i] >= Q) revert KeyTau();
        }
        bool development = tau[0] == DEVELOPMENT_X1 && tau[1] == DEVELOPMENT_X0 && tau[2] == DEVELOPMENT_Y1
            && tau[3] == DEVELOPMENT_Y0;
        if (development && !acceptsDevelopmentSrs()) revert DevelopmentSrs();
        if (!Bn254.isSecondGroup(place)) revert KeyTau();
    }

    /// @dev Creates the contract whose code is the blob.
    function _create(bytes calldata vk) private returns (address data) {
        assembly ("memory-safe") {
            // PUSH2 size, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN: the code is
            // what follows these 10 bytes.
            let creation := mload(0x40)
            mstore(creation, or(shl(232, or(0x610000, vk.length)), shl(176, 0x80600a3d393df3)))
            calldatacopy(add(creation, 10), vk.offset, vk.length)
            data := create2(0, creation, add(vk.length, 10), 0)
        }
        if (data == address(0)) revert RegistrationFailed();
    }
}
