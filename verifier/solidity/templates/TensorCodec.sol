// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

import {IModelVerifier} from "./IModelVerifier.sol";

/// @title Encodings of a model's tensors
/// @notice Turns tensors into the public words of a proof and back. An element q
/// of a tensor is the unsigned u = q - lo of `bits` bits; floor(248 / bits) of
/// them share a word, the first in the lowest bits. This file is the same for
/// every model.
library TensorCodec {
    /// @notice The order of the BN254 scalar field: every public word is below it.
    uint256 internal constant FIELD_ORDER =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;

    /// @notice The bits of a word that carry elements.
    uint256 internal constant WORD_BITS = 248;

    /// @dev How a tensor is encoded and where its words lie.
    /// tensor: position in the Tensors struct, named by errors.
    /// firstWord: index of its first public word.
    /// elements: number of elements, row-major.
    /// width: bytes of an element in the byte encoding.
    /// bits: bits of an element in a word.
    /// lo: the least value of an element.
    struct Encoding {
        uint256 tensor;
        uint256 firstWord;
        uint256 elements;
        uint256 width;
        uint256 bits;
        int256 lo;
    }

    /// @notice Packs a tensor given in bytes into its public words.
    /// @dev An element is written as abi.encodePacked writes it: big-endian, in
    /// `width` bytes, unsigned if lo >= 0 and two's complement otherwise.
    /// @param words the public words, written from encoding.firstWord on
    /// @param encoding the tensor's encoding
    /// @param data the tensor's elements, row-major
    /// @param position where data must begin in the calldata
    function packBytes(uint256[] memory words, Encoding memory encoding, bytes calldata data, uint256 position)
        internal
        pure
    {
        uint256 length = encoding.elements * encoding.width;
        if (data.length != length) {
            revert IModelVerifier.TensorLength(encoding.tensor, data.length, length);
        }
        expectAt(_source(data), position);
        if (length % 32 != 0 && _calldataWord(_source(data) + length - length % 32) << (8 * (length % 32)) != 0) {
            revert IModelVerifier.DirtyPadding(encoding.tensor);
        }
        if (encoding.bits == 8 && encoding.width == 1) {
            _packOctets(words, encoding, data);
        } else {
            _packElements(words, encoding, data);
        }
    }

    /// @notice Checks a tensor given in packed words and copies it.
    /// @param words the public words, written from encoding.firstWord on
    /// @param encoding the tensor's encoding
    /// @param data the tensor's packed words
    /// @param position where data must begin in the calldata
    function packWords(uint256[] memory words, Encoding memory encoding, uint256[] calldata data, uint256 position)
        internal
        pure
    {
        // A word has whole elements only: the division's remainder is meant to be lost.
        // slither-disable-next-line divide-before-multiply
        uint256 perWord = WORD_BITS / encoding.bits;
        uint256 count = (encoding.elements + perWord - 1) / perWord;
        if (data.length != count) {
            revert IModelVerifier.TensorLength(encoding.tensor, data.length, count);
        }
        expectAt(_source(data), position);
        uint256 used = encoding.bits * perWord;
        uint256 source = _source(data);
        uint256 target = _target(words, encoding.firstWord);
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                if (i + 1 == count) {
                    used = encoding.bits * (encoding.elements - i * perWord);
                }
                uint256 word = _calldataWord(source + 32 * i);
                if (word >> used != 0) {
                    revert IModelVerifier.WordOutOfRange(encoding.tensor, i, word);
                }
                _store(target + 32 * i, word);
            }
        }
    }

    /// @notice Checks that something lies where the standard ABI encoding puts it.
    /// @param position where it begins in the calldata
    /// @param expected where it must begin
    function expectAt(uint256 position, uint256 expected) internal pure {
        if (position != expected) {
            revert IModelVerifier.CalldataOffset(position, expected);
        }
    }

    /// @notice Checks that a digest is a canonical field element.
    /// @param tensor the position in the Tensors struct, named by the error
    /// @param value the digest
    /// @return the digest
    function digest(uint256 tensor, uint256 value) internal pure returns (uint256) {
        if (value >= FIELD_ORDER) {
            revert IModelVerifier.DigestOutOfRange(tensor, value);
        }
        return value;
    }

    /// @notice Decodes a tensor from its public words.
    /// @param words the public words, already checked
    /// @param encoding the tensor's encoding
    /// @return values the elements, row-major
    function unpack(uint256[] memory words, Encoding memory encoding) internal pure returns (int256[] memory values) {
        uint256 bits = encoding.bits;
        uint256 perWord = WORD_BITS / bits;
        uint256 mask = (uint256(1) << bits) - 1;
        uint256 left = encoding.elements;
        uint256 next = encoding.firstWord;
        int256 lo = encoding.lo;
        values = new int256[](left);
        uint256 target = _target(values);
        unchecked {
            while (left > 0) {
                uint256 word = words[next++];
                for (uint256 end = left > perWord ? left - perWord : 0; left > end; --left) {
                    _store(target, uint256(lo + int256(word & mask)));
                    word >>= bits;
                    target += 32;
                }
            }
        }
    }

    /// @dev Packs elements of one byte and eight bits, 31 at a time. Such a tensor
    /// has lo = 0, or lo = -128 where u = q + 128 flips the byte's top bit.
    /// @param words the public words, written from encoding.firstWord on
    /// @param encoding the tensor's encoding
    /// @param data the tensor's elements
    function _packOctets(uint256[] memory words, Encoding memory encoding, bytes calldata data) private pure {
        // 255 divides 2^256 - 1: the constant is the byte 0x80, 32 times.
        // slither-disable-next-line divide-before-multiply
        uint256 flip = encoding.lo < 0 ? type(uint256).max / 255 * 128 : 0;
        uint256 source = _source(data);
        uint256 target = _target(words, encoding.firstWord);
        uint256 left = data.length;
        unchecked {
            while (left > 0) {
                uint256 used = left < 31 ? left : 31;
                uint256 mask = (uint256(1) << (8 * used)) - 1;
                _store(target, (_reverse(_calldataWord(source)) ^ flip) & mask);
                source += 31;
                target += 32;
                left -= used;
            }
        }
    }

    /// @dev Packs elements of any width, one at a time.
    /// @param words the public words, written from encoding.firstWord on
    /// @param encoding the tensor's encoding
    /// @param data the tensor's elements
    function _packElements(uint256[] memory words, Encoding memory encoding, bytes calldata data) private pure {
        // A word has whole elements only: the division's remainder is meant to be lost.
        // slither-disable-next-line divide-before-multiply
        uint256 perWord = WORD_BITS / encoding.bits;
        uint256 unused = 256 - 8 * encoding.width;
        uint256 source = _source(data);
        uint256 target = _target(words, encoding.firstWord);
        uint256 word = 0;
        uint256 shift = 0;
        unchecked {
            for (uint256 i = 0; i < encoding.elements; ++i) {
                uint256 aligned = _calldataWord(source);
                // An arithmetic shift of int256 extends the sign, that of uint256 doesn't.
                int256 value = encoding.lo < 0 ? int256(aligned) >> unused : int256(aligned >> unused);
                // Below lo, u wraps to a number far above 2^bits.
                uint256 u = uint256(value - encoding.lo);
                if (u >> encoding.bits != 0) {
                    revert IModelVerifier.ElementOutOfRange(encoding.tensor, i, value);
                }
                word |= u << shift;
                source += encoding.width;
                shift += encoding.bits;
                if (shift == encoding.bits * perWord || i + 1 == encoding.elements) {
                    _store(target, word);
                    target += 32;
                    word = 0;
                    shift = 0;
                }
            }
        }
    }

    /// @dev Where the bytes begin in the calldata.
    /// @param data the bytes
    /// @return pointer their place
    function _source(bytes calldata data) private pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := data.offset
        }
    }

    /// @dev Where the words begin in the calldata.
    /// @param data the words
    /// @return pointer their place
    function _source(uint256[] calldata data) private pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := data.offset
        }
    }

    /// @dev Where the word of an index lies in memory.
    /// @param words the words
    /// @param index the index
    /// @return pointer its place
    function _target(uint256[] memory words, uint256 index) private pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := add(words, shl(5, add(index, 1)))
        }
    }

    /// @dev Where the first value lies in memory.
    /// @param values the values
    /// @return pointer its place
    function _target(int256[] memory values) private pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := add(values, 32)
        }
    }

    /// @dev The 32 bytes of the calldata at a pointer, zero past its end.
    /// @param pointer the place
    /// @return word the 32 bytes
    function _calldataWord(uint256 pointer) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(pointer)
        }
    }

    /// @dev Writes a word of an array that the caller has room for.
    /// @param pointer the place
    /// @param word the word
    function _store(uint256 pointer, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(pointer, word)
        }
    }

    /// @dev Reverses the order of the 32 bytes of x.
    /// @param x the word
    /// @return the word with its bytes reversed
    function _reverse(uint256 x) private pure returns (uint256) {
        uint256 m8 = 0x00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF;
        uint256 m16 = 0x0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF;
        uint256 m32 = 0x00000000FFFFFFFF00000000FFFFFFFF00000000FFFFFFFF00000000FFFFFFFF;
        uint256 m64 = 0x0000000000000000FFFFFFFFFFFFFFFF0000000000000000FFFFFFFFFFFFFFFF;
        x = ((x >> 8) & m8) | ((x & m8) << 8);
        x = ((x >> 16) & m16) | ((x & m16) << 16);
        x = ((x >> 32) & m32) | ((x & m32) << 32);
        x = ((x >> 64) & m64) | ((x & m64) << 64);
        return (x >> 128) | (x << 128);
    }
}
