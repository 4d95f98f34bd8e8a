package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
)

// ErrInternal is returned for addresses that the service doesn't connect to.
var ErrInternal = errors.New("webhooks are sent to public addresses only")

// denied are the ranges of the registries of special-purpose addresses (RFC 6890 and what
// followed it) that aren't the public internet.
var denied = prefixes(
	"0.0.0.0/8",       // this network
	"10.0.0.0/8",      // private
	"100.64.0.0/10",   // carrier-grade NAT; also some clouds' metadata
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local; also clouds' metadata
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // 6to4 relays
	"192.168.0.0/16",  // private
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, broadcast
	"2001::/23",       // protocol assignments, Teredo among them
	"2001:db8::/32",   // documentation
	"3fff::/20",       // documentation
	"5f00::/16",       // segment routing
)

// global is where IPv6 addresses of the internet are: not loopback, unspecified, local,
// link-local or multicast ones.
var global = netip.MustParsePrefix("2000::/3")

// translated are prefixes of IPv6 addresses that carry an IPv4 address, and the byte where it
// begins: a gateway may turn them into it.
var translated = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4
}

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// Public reports whether an address is one of the public internet, in whatever form it is
// written.
func Public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	for _, t := range translated {
		if t.prefix.Contains(a) {
			bytes := a.As16()
			return Public(netip.AddrFrom4([4]byte(bytes[t.at:])))
		}
	}
	if a.Is6() && !global.Contains(a) {
		return false
	}
	for _, p := range denied {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// maxURL bounds the length of an address, in bytes.
const maxURL = 2000

// CheckURL says what can be said of a webhook's URL without resolving it. With internal set
// http and all addresses will do.
func CheckURL(text string, internal bool) error {
	if len(text) > maxURL {
		return fmt.Errorf("webhook: the url has more than %d bytes", maxURL)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return errors.New("webhook: want a url such as https://host/path")
	case u.User != nil:
		return errors.New("webhook: no user and password in the url: messages are signed")
	case u.Scheme != "https" && !(internal && u.Scheme == "http"):
		return errors.New("webhook: want https")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !internal && !Public(a) {
		return fmt.Errorf("webhook: %w", ErrInternal)
	}
	return nil
}
