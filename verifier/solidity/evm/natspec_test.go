package evm_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/internal/projects"
)

// syntax is a node of the compiler's syntax tree, as far as its documentation goes.
type syntax struct {
	Type             string     `json:"nodeType"`
	Name             string     `json:"name"`
	Kind             string     `json:"kind"`
	Visibility       string     `json:"visibility"`
	Constant         bool       `json:"constant"`
	StateVariable    bool       `json:"stateVariable"`
	Nodes            []syntax   `json:"nodes"`
	Documentation    *docs      `json:"documentation"`
	Parameters       parameters `json:"parameters"`
	ReturnParameters parameters `json:"returnParameters"`
}

type docs struct {
	Text string `json:"text"`
}

type parameters struct {
	Parameters []syntax `json:"parameters"`
}

// parse returns the syntax tree of each source.
func parse(t *testing.T, sources solidity.Files) map[string]syntax {
	t.Helper()
	needCompiler(t)
	contents := map[string]any{}
	for path, text := range sources {
		contents[path] = map[string]string{"content": string(text)}
	}
	request, err := json.Marshal(map[string]any{"language": "Solidity", "sources": contents, "settings": map[string]any{
		"outputSelection": map[string]any{"*": map[string][]string{"": {"ast"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "solc.js")
	cmd.Stdin = bytes.NewReader(request)
	answer, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var output struct {
		Errors  []struct{ Severity, FormattedMessage string }
		Sources map[string]struct{ AST syntax }
	}
	if err := json.Unmarshal(answer, &output); err != nil {
		t.Fatal(err)
	}
	for _, e := range output.Errors {
		if e.Severity == "error" {
			t.Fatal(e.FormattedMessage)
		}
	}
	trees := map[string]syntax{}
	for path, source := range output.Sources {
		trees[path] = source.AST
	}
	return trees
}

// undocumented lists what a part of a source lacks of NatSpec. Whoever calls from outside is
// told what everything is (@notice) and takes and gives; a developer, what every private
// function and variable is for.
func undocumented(n syntax, path string) (missing []string) {
	at := path + ": " + n.Type + " " + n.Name
	text := ""
	if n.Documentation != nil {
		text = n.Documentation.Text
	}
	want := func(condition bool, what string) {
		if !condition {
			missing = append(missing, at+": no "+what)
		}
	}
	has := func(tag string) bool { return strings.Contains(text, "@"+tag) }
	outside := n.Visibility == "public" || n.Visibility == "external" || n.Kind == "constructor"
	switch n.Type {
	case "ContractDefinition":
		want(has("title"), "@title")
		want(has("notice") || has("dev"), "@notice")
	case "FunctionDefinition", "ModifierDefinition", "EventDefinition", "ErrorDefinition":
		if has("inheritdoc") {
			break
		}
		if n.Type == "FunctionDefinition" && !outside {
			want(text != "", "comment")
			break
		}
		want(has("notice"), "@notice")
		for _, p := range n.Parameters.Parameters {
			want(regexp.MustCompile(`@param `+regexp.QuoteMeta(p.Name)+`\s`).MatchString(text), "@param "+p.Name)
		}
		want(strings.Count(text, "@return") == len(n.ReturnParameters.Parameters), "@return for each result")
	case "StructDefinition", "EnumDefinition":
		want(text != "", "comment")
	case "VariableDeclaration":
		if n.Constant && !n.StateVariable { // of a file, of which NatSpec knows nothing
			break
		}
		want(text != "" && (n.Visibility != "public" || has("notice") || has("inheritdoc")), "comment")
	}
	for _, part := range n.Nodes {
		missing = append(missing, undocumented(part, path)...)
	}
	return missing
}

// TestNatSpec holds the reusable verifier and projects of every kind, but for their tests and
// gnark's contract, to having everything documented.
func TestNatSpec(t *testing.T) {
	sources, _, err := solidity.ReusableSources()
	if err != nil {
		t.Fatal(err)
	}
	check, seen := sources.Paths(), map[string]bool{}
	for _, p := range projects.All() {
		files, err := p.Export()
		if err != nil {
			t.Fatal(err)
		}
		for path, text := range files {
			if strings.HasPrefix(path, "test/") || !strings.HasSuffix(path, ".sol") {
				continue
			}
			sources[p.Name+"/"+path] = text
			if !strings.HasSuffix(path, "PlonkVerifier.sol") && !seen[string(text)] {
				seen[string(text)] = true
				check = append(check, p.Name+"/"+path)
			}
		}
	}
	sources["Bad.sol"] = []byte(`
		contract Bad {
			uint256 public x; uint256 private y; struct S { uint256 z; }
			event E(uint256 a); error F(uint256 b);
			/// @notice ok
			function f(uint256 c) external returns (uint256) {}
			function g() private {}
		}`)
	trees := parse(t, sources)
	for _, path := range check {
		if trees[path].Type != "SourceUnit" {
			t.Errorf("%s: the compiler gives no syntax tree", path)
		}
		for _, missing := range undocumented(trees[path], path) {
			t.Error(missing)
		}
	}
	bad := undocumented(trees["Bad.sol"], "Bad.sol")
	for _, want := range []string{
		"ContractDefinition Bad: no @title", "VariableDeclaration x: no comment", "VariableDeclaration y: no comment", "StructDefinition S: no comment",
		"EventDefinition E: no @notice", "EventDefinition E: no @param a", "ErrorDefinition F: no @param b",
		"FunctionDefinition f: no @param c", "FunctionDefinition f: no @return for each result", "FunctionDefinition g: no comment",
	} {
		if !slices.Contains(bad, "Bad.sol: "+want) {
			t.Errorf("of a bad contract it isn't said: %s", want)
		}
	}
}
