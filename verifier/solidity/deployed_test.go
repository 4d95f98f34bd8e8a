package solidity

import "testing"

// TestChecksummed has addresses of EIP-55.
func TestChecksummed(t *testing.T) {
	if got := checksummed(Proxy); got != "0x4e59b44847b379578588920cA78FbF26c0B4956C" {
		t.Errorf("the proxy's address is written %s", got)
	}
	all := [20]byte{0x52, 0x90, 0x84, 0x00, 0x09, 0x85, 0x27, 0x88, 0x6E, 0x0F, 0x70, 0x30, 0x06, 0x98, 0x57, 0xD2, 0xE4, 0x16, 0x9E, 0xE7}
	if got := checksummed(all); got != "0x52908400098527886E0F7030069857D2E4169EE7" {
		t.Errorf("an address of EIP-55 is written %s", got)
	}
}
