// Package printable makes text from files safe to print on a terminal.
//
// A model's file chooses the names of its nodes, tensors and labels. Printed as they
// are they could move the cursor, clear the line above, or turn the direction of
// writing, so that what is read isn't what the program said. Here such characters are
// shown by their numbers, as in Go's strings: \x1b, \u202e.
package printable

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Escape returns s with every byte or character that isn't printable in the sense of
// [strconv.IsPrint] replaced by an escape sequence: controls with tab and line feed,
// marks of direction and other invisible characters, spaces other than U+0020, bytes
// that aren't UTF-8. Text without any is returned as it is.
func Escape(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r == utf8.RuneError || !strconv.IsPrint(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return b.String()
}

// Lines is Escape for each line of s.
func Lines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = Escape(lines[i])
	}
	return strings.Join(lines, "\n")
}

// Sprintf is fmt.Sprintf with the text of its arguments escaped: of strings, of errors
// and of what has a method String. The format is taken as it is.
func Sprintf(format string, args ...any) string {
	safe := make([]any, len(args))
	for i, a := range args {
		safe[i] = escapeArgument(a)
	}
	return fmt.Sprintf(format, safe...)
}

// Fprintf writes what Sprintf returns.
func Fprintf(w io.Writer, format string, args ...any) {
	// A terminal that is gone is nothing to report to it.
	_, _ = io.WriteString(w, Sprintf(format, args...))
}

func escapeArgument(a any) any {
	switch v := a.(type) {
	case string:
		return Escape(v)
	case error:
		return Escape(v.Error())
	case fmt.Stringer:
		return Escape(v.String())
	case []string:
		list := make([]string, len(v))
		for i := range v {
			list[i] = Escape(v[i])
		}
		return list
	}
	if v := reflect.ValueOf(a); v.Kind() == reflect.String {
		return Escape(v.String())
	}
	return a
}

// JSON returns JSON text with the characters in its strings that Escape would show
// replaced by \u escapes, which stand for the same.
func JSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r == '\n' || strconv.IsPrint(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}
