package solidity

import (
	"fmt"
	"strconv"
	"strings"
)

// A model's names come from its file: they may be anything. What reaches the
// contracts is an identifier, an escaped string literal or a quoted comment.

// namer turns tensors' names into distinct Solidity identifiers.
type namer struct{ taken map[string]bool }

func newNamer() *namer { return &namer{taken: map[string]bool{}} }

// pick returns an identifier made from name, different from all before also when
// case is ignored (constants are its upper case).
func (n *namer) pick(name string) string {
	base := identifier(name)
	id := base
	for i := 2; n.taken[strings.ToLower(id)]; i++ {
		id = fmt.Sprintf("%s_%d", base, i)
	}
	n.taken[strings.ToLower(id)] = true
	return id
}

// maxIdentifier bounds the length of a name made from a model's.
const maxIdentifier = 48

// identifier replaces what Solidity's identifiers can't hold.
func identifier(name string) string {
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
	id = strings.Trim(id, "_")
	if len(id) > maxIdentifier {
		id = strings.TrimRight(id[:maxIdentifier], "_")
	}
	switch {
	case id == "":
		return "tensor"
	case id[0] >= '0' && id[0] <= '9':
		return "tensor_" + id
	case reserved[id] || strings.HasPrefix(id, "uint") || strings.HasPrefix(id, "int") ||
		strings.HasPrefix(id, "bytes") || strings.HasPrefix(id, "fixed") || strings.HasPrefix(id, "ufixed"):
		return id + "_"
	}
	return id
}

// reserved holds the keywords of Solidity and of its inline assembly that an
// identifier can't be; intN, uintN, bytesN and fixedMxN are matched by prefix.
var reserved = func() map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(`
		abstract address after alias anonymous apply as assembly at auto bool break
		byte bytes calldata case catch class constant constructor continue copyof
		days default define delete do else emit enum error ether event external
		fallback false final finney fixed for from function global gwei hex hours if
		immutable implements import in indexed inline interface internal is layout
		leave let library mapping match memory minutes modifier mutable new null of
		override partial payable pragma private promise public pure receive
		reference relocatable return returns revert seconds sealed sizeof static
		storage string struct super supports switch szabo this throw transient true
		try type typedef typeof ufixed unchecked unicode unit using var view virtual
		weeks wei while years abi block msg now tx require assert selfdestruct suicide
		blockhash blobhash gasleft keccak256 sha256 ripemd160 ecrecover addmod mulmod`) {
		set[word] = true
	}
	return set
}()

// comment quotes text for a comment: ASCII on one line, no tag of NatSpec.
func comment(text string) string {
	const limit = 120
	if len(text) > limit {
		text = text[:limit] + "..."
	}
	quoted := strconv.QuoteToASCII(text)
	quoted = strings.ReplaceAll(quoted, "@", `\x40`)
	return strings.ReplaceAll(quoted, "*/", `*\/`)
}

// literal returns a Solidity string literal of the text's UTF-8.
func literal(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(strings.ToValidUTF8(text, "\uFFFD")) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c >= ' ' && c <= '~':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// code quotes text for inline code in Markdown.
func code(text string) string {
	return "`" + strings.ReplaceAll(strings.Trim(comment(text), `"`), "`", "'") + "`"
}
