package solidity

import "encoding/hex"

// Proxy is the address of the deterministic deployment proxy, which is the same on all
// chains that have it: given a salt of 32 bytes and creation code, it creates a contract
// with CREATE2 (https://github.com/Arachnid/deterministic-deployment-proxy).
var Proxy = [20]byte{0x4e, 0x59, 0xb4, 0x48, 0x47, 0xb3, 0x79, 0x57, 0x85, 0x88, 0x92, 0x0c, 0xa7, 0x8f, 0xbf, 0x26, 0xc0, 0xb4, 0x95, 0x6c}

// CreatedAddress returns where the proxy creates a contract with the salt zero: it
// depends on nothing but the creation code, with the constructor's arguments behind it
// (EIP-1014). All contracts of zkml are created so.
func CreatedAddress(creation []byte) (address [20]byte) {
	code := keccak256(creation)
	preimage := append([]byte{0xff}, Proxy[:]...)
	preimage = append(preimage, make([]byte, 32)...)
	hash := keccak256(append(preimage, code[:]...))
	copy(address[:], hash[12:])
	return address
}

// checksummed writes an address with the capitals of EIP-55, as Solidity wants it.
func checksummed(address [20]byte) string {
	text := []byte(hex.EncodeToString(address[:]))
	hash := keccak256(text)
	for i, c := range text {
		if c >= 'a' && hash[i/2]>>(4*(1-i%2))&15 >= 8 {
			text[i] = c - 'a' + 'A'
		}
	}
	return "0x" + string(text)
}
