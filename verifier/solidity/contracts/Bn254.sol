// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IZkmlVerifier} from "./IZkmlVerifier.sol";

/// @dev The order of G₁ and G₂, and so the modulus of scalars.
uint256 constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

/// @dev The modulus of coordinates.
uint256 constant Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

/// @dev The generators of the groups of 2^28-th, 2^21-st, 2^14-th and 2^7-th roots of unity that gnark's
/// domains are made of: each is a power of the first.
uint256 constant ROOT_28 = 19103219067921713944291392827692070036145651957329286315305642004821462161904;
uint256 constant ROOT_21 = 13536764371732269273912573961853310557438878140379554347802702086337840854307;
uint256 constant ROOT_14 = 20619701001583904760601357484951574588621083236087856586626117568842480512645;
uint256 constant ROOT_7 = 10359452186428527605436343203440067497552205259388878191021578220384701716497;

/// @dev The binary logarithm of the largest domain.
uint256 constant MAX_LOG = 28;

/// @dev The generator [1]₂ of G₂ in EIP-197's order: x imaginary, x real, y imaginary, y real.
uint256 constant G2_X1 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
uint256 constant G2_X0 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
uint256 constant G2_Y1 = 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b;
uint256 constant G2_Y0 = 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa;

/// @title The pairing-friendly curve BN254, by the EVM's precompiled contracts
/// @notice Sums of multiples of points in G₁, the pairing check, and powers of scalars.
/// @dev A sum is a place in memory of five words: the sum so far (x, y), the next point (x, y), the next
/// scalar. The precompiled contracts read and write there without a copy:
///
///   0x00  sum         ecMul reads  0x40..0xa0, writes 0x40..0x80
///   0x40  point       ecAdd reads  0x00..0x80, writes 0x00..0x40
///   0x80  scalar
///
/// The point at infinity is (0, 0). Points must be valid before they come here: a precompiled contract
/// that is given another takes all gas with it.
library Bn254 {
    /// @dev The size of a sum in bytes.
    uint256 internal constant SUM = 0xa0;

    /// @dev The selector of IZkmlVerifier.PrecompileFailed.
    uint256 private constant PRECOMPILE_FAILED = 0x84e81692;

    /// @dev Reserves a sum and sets it to zero.
    function newSum() internal pure returns (uint256 sum) {
        assembly ("memory-safe") {
            sum := mload(0x40)
            mstore(0x40, add(sum, SUM))
            mstore(sum, 0)
            mstore(add(sum, 0x20), 0)
        }
    }

    /// @dev sum ← sum + scalar·point, the point lying in calldata.
    function addMulCalldata(uint256 sum, uint256 point, uint256 scalar) internal view {
        assembly ("memory-safe") {
            let next := add(sum, 0x40)
            calldatacopy(next, point, 0x40)
            mstore(add(sum, 0x80), scalar)
            let ok := staticcall(gas(), 0x07, next, 0x60, next, 0x40)
            if iszero(and(staticcall(gas(), 0x06, sum, 0x80, sum, 0x40), ok)) {
                mstore(0x00, PRECOMPILE_FAILED)
                revert(0x1c, 0x04)
            }
        }
    }

    /// @dev sum ← sum + scalar·point, the point lying in memory.
    function addMul(uint256 sum, uint256 point, uint256 scalar) internal view {
        assembly ("memory-safe") {
            let next := add(sum, 0x40)
            mcopy(next, point, 0x40)
            mstore(add(sum, 0x80), scalar)
            let ok := staticcall(gas(), 0x07, next, 0x60, next, 0x40)
            if iszero(and(staticcall(gas(), 0x06, sum, 0x80, sum, 0x40), ok)) {
                mstore(0x00, PRECOMPILE_FAILED)
                revert(0x1c, 0x04)
            }
        }
    }

    /// @dev sum ← sum + point, the point lying in memory.
    function add(uint256 sum, uint256 point) internal view {
        assembly ("memory-safe") {
            mcopy(add(sum, 0x40), point, 0x40)
            if iszero(staticcall(gas(), 0x06, sum, 0x80, sum, 0x40)) {
                mstore(0x00, PRECOMPILE_FAILED)
                revert(0x1c, 0x04)
            }
        }
    }

    /// @dev sum ← sum + point, the point lying in calldata.
    function addCalldata(uint256 sum, uint256 point) internal view {
        assembly ("memory-safe") {
            calldatacopy(add(sum, 0x40), point, 0x40)
            if iszero(staticcall(gas(), 0x06, sum, 0x80, sum, 0x40)) {
                mstore(0x00, PRECOMPILE_FAILED)
                revert(0x1c, 0x04)
            }
        }
    }

    /// @dev sum ← sum + scalar·[1]₁
    function addMulGenerator(uint256 sum, uint256 scalar) internal view {
        assembly ("memory-safe") {
            let next := add(sum, 0x40)
            mstore(next, 1)
            mstore(add(sum, 0x60), 2)
            mstore(add(sum, 0x80), scalar)
            let ok := staticcall(gas(), 0x07, next, 0x60, next, 0x40)
            if iszero(and(staticcall(gas(), 0x06, sum, 0x80, sum, 0x40), ok)) {
                mstore(0x00, PRECOMPILE_FAILED)
                revert(0x1c, 0x04)
            }
        }
    }

    /// @dev Whether e(a, [1]₂) = e(b, [τ]₂), for points a and b in memory and [τ]₂ in EIP-197's order.
    function pairingsEqual(uint256 a, uint256 b, uint256 tau) internal view returns (bool equal) {
        uint256 ok;
        assembly ("memory-safe") {
            let pairs := mload(0x40)
            mcopy(pairs, a, 0x40)
            mstore(add(pairs, 0x40), G2_X1)
            mstore(add(pairs, 0x60), G2_X0)
            mstore(add(pairs, 0x80), G2_Y1)
            mstore(add(pairs, 0xa0), G2_Y0)
            mstore(add(pairs, 0xc0), mload(b))
            // -b = (x, -y), and infinity stays (0, 0).
            mstore(add(pairs, 0xe0), mod(sub(Q, mload(add(b, 0x20))), Q))
            mcopy(add(pairs, 0x100), tau, 0x80)
            ok := staticcall(gas(), 0x08, pairs, 0x180, 0x00, 0x20)
            equal := eq(mload(0x00), 1)
        }
        if (ok == 0) revert IZkmlVerifier.PrecompileFailed();
    }

    /// @dev Whether [τ]₂, in memory, is an element of G₂ other than zero. The pairing e([1]₁, [τ]₂) exists
    /// for the elements only, and is 1 only for zero.
    function isSecondGroup(uint256 tau) internal view returns (bool valid) {
        assembly ("memory-safe") {
            let pair := mload(0x40)
            mstore(pair, 1)
            mstore(add(pair, 0x20), 2)
            mcopy(add(pair, 0x40), tau, 0x80)
            mstore(0x00, 1)
            valid := and(staticcall(gas(), 0x08, pair, 0xc0, 0x00, 0x20), 1)
            valid := and(valid, iszero(mload(0x00)))
        }
    }

    /// @dev base^exponent mod R
    function power(uint256 base, uint256 exponent) internal view returns (uint256 result) {
        uint256 ok;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, 0x20)
            mstore(add(input, 0x20), 0x20)
            mstore(add(input, 0x40), 0x20)
            mstore(add(input, 0x60), base)
            mstore(add(input, 0x80), exponent)
            mstore(add(input, 0xa0), R)
            ok := staticcall(gas(), 0x05, input, 0xc0, 0x00, 0x20)
            result := mload(0x00)
        }
        if (ok == 0) revert IZkmlVerifier.PrecompileFailed();
    }

    /// @dev The generator ω of the group of 2^log-th roots of unity.
    function rootOfUnity(uint256 log) internal pure returns (uint256 omega) {
        assembly ("memory-safe") {
            let order := MAX_LOG
            omega := ROOT_28
            if lt(log, 22) {
                order := 21
                omega := ROOT_21
                if lt(log, 15) {
                    order := 14
                    omega := ROOT_14
                    if lt(log, 8) {
                        order := 7
                        omega := ROOT_7
                    }
                }
            }
            for {} lt(log, order) { log := add(log, 1) } { omega := mulmod(omega, omega, R) }
        }
    }
}
