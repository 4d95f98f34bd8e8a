package printable_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/zkml-go/zkml/internal/printable"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"conv1/Größe 数 ≈ …":   "conv1/Größe 数 ≈ …",
		"\x1b[2Jcleared":      `\x1b[2Jcleared`,
		"a\rb\nc\td\x00":      `a\rb\nc\td\x00`,
		"\u009b31m":           `\u009b31m`,
		"evil\u202exslx":      `evil\u202exslx`,
		"\u2066x\u2069\u200b": `\u2066x\u2069\u200b`,
		"\xff\xc3(":           `\xff\xc3(`,
		"a\u00a0b":            `a\u00a0b`,
		"\U000e0041":          `\U000e0041`,
		"\x7f":                `\x7f`,
	} {
		if got := printable.Escape(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	if got := printable.Lines("a\x07\nb"); got != "a\\a\nb" {
		t.Errorf("%q", got)
	}
}

type name string

func TestSprintf(t *testing.T) {
	got := printable.Sprintf("%s\t%s\t%v\t%v\t%d\t%.1f\t%v\t%.2s\n", "a\x1b", name("b\n"), errors.New("c\r"), []string{"d\x07", "e"}, 7, 0.5, time.Second, "xyz")
	if want := "a\\x1b\tb\\n\tc\\r\t[d\\a e]\t7\t0.5\t1s\txy\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestJSON(t *testing.T) {
	for _, s := range []string{"\u009b31m", "x\u202ey", "\U000e0041", "plain Größe", "\x1b\x7f\n"} {
		text, err := json.Marshal(map[string]string{"name": s})
		if err != nil {
			t.Fatal(err)
		}
		safe := printable.JSON(text)
		if printable.Escape(string(safe)) != string(safe) {
			t.Errorf("%q is not printable", safe)
		}
		var back map[string]string
		if err := json.Unmarshal(safe, &back); err != nil || back["name"] != s {
			t.Errorf("%s: %q, %v; want %q", safe, fmt.Sprint(back), err, s)
		}
	}
}
