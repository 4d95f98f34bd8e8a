package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/client"
)

var (
	requests = flag.Int("requests", 1500, "how many requests TestRequests makes")
	seed     = flag.Uint64("seed", 0, "the seed of TestRequests' requests (default: another one each time)")
)

// schema is what this test knows of a JSON schema.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"` // a name, or several
	Enum       []any             `json:"enum"`
	Pattern    string            `json:"pattern"`
	Format     string            `json:"format"`
	Encoding   string            `json:"contentEncoding"`
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	Items      *schema           `json:"items"`
	MaxLength  int               `json:"maxLength"`
	Minimum    *float64          `json:"minimum"`
	Maximum    *float64          `json:"maximum"`
}

// kind is the first type that isn't null.
func (s schema) kind() string {
	switch t := s.Type.(type) {
	case string:
		return t
	case []any:
		return fmt.Sprint(t[0])
	}
	return ""
}

// spec is what it knows of an operation.
type spec struct {
	method, path string
	ID           string `json:"operationId"`
	Parameters   []struct {
		Name     string `json:"name"`
		In       string `json:"in"`
		Required bool   `json:"required"`
		Schema   schema `json:"schema"`
	} `json:"parameters"`
	Body *struct {
		Content map[string]struct {
			Schema schema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
	Responses map[string]json.RawMessage `json:"responses"`
}

// attacker makes requests, some of them good.
type attacker struct {
	t       *testing.T
	r       *rand.Rand
	base    string
	schemas map[string]schema
	specs   []spec
	// known are values that exist, or look as if, by the name of a parameter or property.
	known map[string][]string
	// callers are tokens by name; secrets are what only alice and admins may see.
	callers map[string]string
	secrets []string
	seen    map[string]int
	// good is set while a request is made that should succeed.
	good bool
}

// hostile are strings that no request needs.
var hostile = []string{
	"", " ", "\x00", "null", "-1", "0", "1e999", "../../../etc/passwd", "..%2f..%2fkey", "%2e%2e/", "/etc/passwd", "*", ">", "zkml.>", ".", "..",
	"' OR 1=1 --", "<script>alert(1)</script>", "{{.}}", "${jndi:ldap://x}", "%s%n", "\u202e\ufeff", "\xff\xfe", "💥", "A\r\nX-Injected: 1",
	strings.Repeat("x", 5000), strings.Repeat("0", 64), strings.Repeat("a", 26), strings.Repeat("A", 64), "https://127.0.0.1/x", "http://[::1]:80/",
}

func (a *attacker) pick(all []string) string { return all[a.r.IntN(len(all))] }

// resolve follows a reference.
func (a *attacker) resolve(s schema) schema {
	if s.Ref != "" {
		return a.schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
	}
	return s
}

// value makes a JSON value for a schema, good or not.
func (a *attacker) value(name string, s schema, depth int) any {
	s = a.resolve(s)
	if all := a.known[name]; a.good && len(all) > 0 {
		return raw(name, all[0])
	}
	if all := a.known[name]; len(all) > 0 && a.r.IntN(10) < 7 {
		return raw(name, a.pick(all))
	}
	if !a.good && a.r.IntN(12) == 0 { // another type
		return []any{nil, true, -1, 1e300, a.pick(hostile), []any{}, map[string]any{}, []any{[]any{[]any{1}}}, json.RawMessage("1e999")}[a.r.IntN(9)]
	}
	if len(s.Enum) > 0 && (a.good || a.r.IntN(8) > 0) {
		return s.Enum[a.r.IntN(len(s.Enum))]
	}
	switch s.kind() {
	case "object":
		o := map[string]any{}
		for key, of := range s.Properties {
			required := slices.Contains(s.Required, key) || key == "onnx"
			if a.good && required || !a.good && (required && a.r.IntN(20) > 0 || a.r.IntN(4) == 0) {
				o[key] = a.value(key, of, depth+1)
			}
		}
		if !a.good && a.r.IntN(15) == 0 {
			o[a.pick(hostile)] = a.pick(hostile)
		}
		return o
	case "array":
		list := []any{}
		n := []int{0, 1, 2, 3, 17, 5000}[a.r.IntN(5+a.r.IntN(2))]
		if a.good {
			n = 1
		}
		for range n {
			of := schema{}
			if s.Items != nil {
				of = *s.Items
			}
			list = append(list, a.value("", of, depth+1))
		}
		return list
	case "integer", "number":
		bounds := []float64{0, 1, -1, 2, 1 << 31, -1 << 31, 1 << 53, 1e18}
		for _, b := range []*float64{s.Minimum, s.Maximum} {
			if b != nil {
				bounds = append(bounds, *b, *b-1, *b+1)
			}
		}
		return json.RawMessage(fmt.Sprintf("%.0f", bounds[a.r.IntN(len(bounds))]))
	case "boolean":
		return a.r.IntN(2) == 0
	case "string":
		switch {
		case s.Format == "date-time" && a.r.IntN(3) > 0:
			return time.Now().Add(time.Duration(a.r.IntN(200)-100) * time.Hour).Format(time.RFC3339)
		case s.Encoding == "base64" && a.r.IntN(3) > 0:
			return bytes.Repeat([]byte{byte(a.r.Uint32())}, a.r.IntN(100))
		case s.MaxLength > 0 && a.r.IntN(4) == 0:
			return strings.Repeat("x", s.MaxLength+a.r.IntN(2))
		}
		return a.pick(hostile)
	}
	return a.pick(hostile)
}

// raw is the value of a name: some are JSON already.
func raw(name, text string) any {
	if name == "inputs" || name == "proof" || name == "onnx" {
		return json.RawMessage(text)
	}
	return text
}

// text is a parameter's value.
func (a *attacker) text(name string, s schema) string {
	switch v := a.value(name, s, 0).(type) {
	case string:
		return v
	case json.RawMessage:
		return string(v)
	default:
		return fmt.Sprint(v)
	}
}

// body makes a request's body and its type.
func (a *attacker) body(o *spec) (data []byte, kind string) {
	if o.Body == nil {
		if a.r.IntN(10) == 0 {
			return []byte(a.pick(hostile)), "application/json"
		}
		return nil, ""
	}
	for name, content := range o.Body.Content {
		kind = name
		if name == "application/json" {
			data, _ = json.Marshal(a.value("", content.Schema, 0))
		} else {
			data = []byte(a.pick(a.known["blob content"]))
		}
	}
	if a.good {
		return data, kind
	}
	switch a.r.IntN(25) {
	case 0:
		data = data[:a.r.IntN(len(data)+1)] // cut
	case 1:
		data = []byte(a.pick(hostile))
	case 2:
		data = bytes.Repeat([]byte("["), 20000)
	case 3:
		data = []byte(`{"x": "` + strings.Repeat("x", 2<<20) + `"}`) // above the limit
	case 4:
		kind = []string{"", "text/plain", "application/xml", "application/cbor", "multipart/form-data; boundary=x"}[a.r.IntN(5)]
	case 5:
		data = nil
	case 6:
		if len(data) > 2 && data[0] == '{' {
			data = append([]byte(`{"model": "x", `), data[1:]...) // a member twice
		}
	}
	return data, kind
}

// request makes one for an operation. Strict is whether it went where the operation is, so
// that its answer has to be a documented one.
func (a *attacker) request(ctx context.Context, o *spec) (r *http.Request, sent string, strict bool) {
	path, strict := o.path, true
	query := url.Values{}
	headers := http.Header{}
	for _, p := range o.Parameters {
		value := a.text(p.Name, p.Schema)
		switch p.In {
		case "path":
			escaped := url.PathEscape(value)
			if !a.good && a.r.IntN(20) == 0 {
				escaped = value // as it is: other paths
			}
			if escaped == "" || escaped == "." || escaped == ".." || escaped == value && strings.ContainsAny(value, "/?#%. ") {
				strict = false
			}
			path = strings.Replace(path, "{"+p.Name+"}", escaped, 1)
		case "query":
			if p.Required || !a.good && a.r.IntN(3) == 0 {
				query.Set(p.Name, value)
			}
		case "header":
			if !a.good && a.r.IntN(3) == 0 && !strings.ContainsAny(value, "\x00\r\n\xff") {
				headers.Set(p.Name, value)
			}
		}
	}
	if !a.good && a.r.IntN(30) == 0 {
		query.Set(a.pick(hostile), a.pick(hostile))
	}
	method := o.method
	if !a.good && a.r.IntN(40) == 0 {
		method, strict = []string{"DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"}[a.r.IntN(5)], false
	}
	data, kind := a.body(o)
	if encoded := query.Encode(); encoded != "" {
		path += "?" + encoded
	}
	r, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(data))
	if err != nil {
		return nil, "", false // no client sends that
	}
	for name, values := range headers {
		r.Header[name] = values
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return r, path + "\n" + string(data) + fmt.Sprint(headers), strict
}

// try makes one request and judges the answer.
func (a *attacker) try() {
	o := &a.specs[a.r.IntN(len(a.specs))]
	ctx, cancel := context.WithTimeout(a.t.Context(), 20*time.Second)
	defer cancel()
	follows := strings.HasSuffix(o.path, "/events")
	if follows {
		ctx, cancel = context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
	}
	a.good = a.r.IntN(6) == 0
	if o.ID == "delete-model" {
		a.good = false
		defer func(all []string) { a.known["sha256"] = all }(a.known["sha256"])
		a.known["sha256"] = []string{strings.Repeat("0", 64)}
	}
	if strings.HasPrefix(o.ID, "cancel-") || strings.Contains(o.ID, "build") {
		defer func(all []string) { a.known["id"] = all }(a.known["id"])
		a.known["id"] = a.known[o.ID]
	}
	r, sent, strict := a.request(ctx, o)
	if r == nil {
		return
	}
	names := []string{"alice", "alice", "alice", "bob", "bob", "reader", "admin", "revoked", "expired", "nobody", "garbage"}
	who := names[a.r.IntN(len(names))]
	if admins := []string{"create-key", "list-keys", "revoke-key", "get-tenant", "set-quota", "list-workers"}; a.good && slices.Contains(admins, o.ID) {
		who = "admin"
	} else if a.good {
		who = "alice"
	}
	if token := a.callers[who]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		if ctx.Err() == nil || !follows {
			a.t.Errorf("%s as %s: %.300q: %v", o.ID, who, sent, err)
		}
		return
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	status := fmt.Sprint(answer.StatusCode)
	a.seen[o.ID+" "+status]++
	fail := func(what string) {
		a.t.Errorf("%s as %s: %s: %.300q: %s %.300s", o.ID, who, what, sent, status, text)
	}
	if answer.StatusCode >= 500 {
		fail("a server error")
	}
	_, documented := o.Responses[status]
	if _, rest := o.Responses["default"]; rest && answer.StatusCode >= 400 {
		documented = true
	}
	if strict && !documented {
		fail("an undocumented status")
	}
	if strict && answer.StatusCode >= 400 {
		var p client.Problem
		if answer.Header.Get("Content-Type") != "application/problem+json" || json.Unmarshal(text, &p) != nil || p.Status != answer.StatusCode || p.Title == "" {
			fail("not a problem of RFC 9457")
		}
	}
	if answer.Header.Get("X-Injected") != "" {
		fail("a header of the request's making")
	}
	health := o.ID == "health" || o.ID == "ready"
	switch who {
	case "revoked", "expired", "nobody", "garbage":
		if strict && !health && answer.StatusCode != 401 {
			fail("without a valid key")
		}
		fallthrough
	case "bob":
		for _, secret := range a.secrets {
			if bytes.Contains(text, []byte(secret)) && !strings.Contains(sent, secret) {
				fail("another tenant's " + secret)
			}
		}
	}
	if who == "bob" && answer.StatusCode < 300 {
		for _, private := range []string{"get-proof", "get-model", "cancel-proof", "get-proof-proof", "get-proof-secrets", "get-model-key", "get-model-solidity", "get-proof-calldata", "delete-model", "proof-events"} {
			if o.ID == private {
				fail("served another tenant")
			}
		}
	}
}

// TestRequests sends generated requests to every operation of openapi.json: good ones, ones at
// the limits, malformed and hostile ones, with keys of the tenant, of another one, and with
// keys that are no more. Every answer has to be documented, none may be a server error, and
// none may tell one tenant of another.
func TestRequests(t *testing.T) {
	w := start(t, func(c *service.Config) {
		c.Limits.Body, c.Limits.Blob, c.Queue.MaxPerTenant = 1<<20, 1<<16, 50
	})
	a := newAttacker(t, w)
	for range *requests {
		a.try()
	}
	for _, o := range a.specs {
		ok := false
		for status := range o.Responses {
			ok = ok || status < "300" && a.seen[o.ID+" "+status] > 0
		}
		if !ok && *requests >= 1500 && o.ID != "delete-model" {
			t.Errorf("%s never succeeded: the test doesn't reach it", o.ID)
		}
	}
	a.raw()
	if t.Failed() || testing.Verbose() {
		t.Logf("answers: %v", a.seen)
	}
}

// newAttacker reads the description and prepares tenants, a model and a proof.
func newAttacker(t *testing.T, w *world) *attacker {
	t.Helper()
	ctx := t.Context()
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-args -seed %d repeats these requests", *seed)
	a := &attacker{t: t, r: rand.New(rand.NewPCG(*seed, 1)), base: w.base, seen: map[string]int{}, callers: map[string]string{"garbage": "zkml_0123456789_x"}}
	text, err := os.ReadFile("api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths      map[string]map[string]spec `json:"paths"`
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	a.schemas = document.Components.Schemas
	for path, methods := range document.Paths {
		for method, o := range methods {
			o.method, o.path = strings.ToUpper(method), path
			a.specs = append(a.specs, o)
		}
	}
	slices.SortFunc(a.specs, func(x, y spec) int { return strings.Compare(x.ID, y.ID) })

	a.callers["alice"], _ = w.token("alice", 0, access.Prove)
	a.callers["bob"], _ = w.token("bob", 0, access.Prove)
	a.callers["reader"], _ = w.token("alice", 0, access.Read)
	a.callers["admin"], _ = w.token("operators", 0, access.Admin)
	a.callers["expired"], _ = w.token("alice", time.Nanosecond, access.Prove)
	revoked, key := w.token("alice", 0, access.Prove)
	a.callers["revoked"] = revoked
	if err := w.s.Keys().Revoke(ctx, key.Prefix); err != nil {
		t.Fatal(err)
	}
	// A few jobs run; the rest of the submissions is refused.
	for _, tenant := range []string{"alice", "bob", "operators"} {
		if err := w.s.Tenants().SetQuota(ctx, tenant, access.Quota{PerDay: 25}); err != nil {
			t.Fatal(err)
		}
	}
	c := client.New(w.base, a.callers["alice"])
	build := built(t, c)
	inputs := `{"features": [0.0312345678` + strings.Repeat(", 0.01", 9) + `]}`
	j, err := c.Prove(ctx, client.ProofRequest{Model: build.Model, Inputs: []byte(inputs)}, "")
	if err == nil {
		j, err = c.Wait(ctx, j, nil)
	}
	if err != nil || j.State != "succeeded" {
		t.Fatal(j, err)
	}
	var proof bytes.Buffer
	if err := c.Proof(ctx, j.ID, &proof); err != nil {
		t.Fatal(err)
	}
	// Cancelling what is cancelled succeeds.
	cancelled := func(kind string, submit func() (client.Job, error)) string {
		for range 10 {
			j, err := submit()
			if err != nil {
				t.Fatal(err)
			}
			if j, err = c.Cancel(ctx, kind, j.ID); err == nil {
				return j.ID
			}
		}
		t.Fatal("every job had ended before it could be cancelled")
		return ""
	}
	lost := cancelled("proof", func() (client.Job, error) {
		return c.Prove(ctx, client.ProofRequest{Model: build.Model, Inputs: []byte(inputs)}, "")
	})
	dropped := cancelled("build", func() (client.Job, error) {
		return c.Build(ctx, client.BuildRequest{ONNX: &client.Source{Data: model(t, "diabetes/model.onnx")}}, "")
	})
	secret, err := c.WebhookSecret(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	// The model's own name for deletions would end the test's reach: they get others.
	digest := blob.Sum([]byte("content")).String()
	none := strings.Repeat("0", 64)
	a.known = map[string][]string{
		"model": {build.Model, build.Model, none}, "sha256": {build.Model, build.Model, digest, none}, "blob": {digest, none},
		"id": {j.ID, j.ID, build.ID, strings.Repeat("a", 26)}, "inputs": {inputs, inputs, `{"features": [1]}`, `[]`, `{"features": [1e999]}`},
		"proof": {proof.String(), proof.String(), "{}", `{"words": []}`}, "context": {"0", "7", "0x10"}, "tenant": {"carol", "dave"}, "prefix": {key.Prefix, "0123456789"},
		"webhook": {"https://127.0.0.1/", "https://10.0.0.1/", "http://x", "https://[::ffff:7f00:1]/"},
		"after":   {"", "20260101000000.000000000" + j.ID}, "limit": {"1", "1000", "0", "1001", "-1"}, "blob content": {"content", "content", "other", ""},
		"cancel-proof": {lost, j.ID}, "cancel-build": {dropped, build.ID}, "get-build": {build.ID}, "build-events": {build.ID},
		"build-model": {j.ID}, "list-builds": {j.ID}, "onnx": {`{"data": "AAAA"}`, `{"blob": "` + digest + `"}`, `{}`},
		"standalone": {"true", "false"}, "packed": {"true", "false"}, "template": {"inference", "../x"}, "state": {"queued", "succeeded"},
	}
	a.secrets = []string{build.Model, build.ID, j.ID, "0.0312345678", "alice", strings.TrimPrefix(secret.Secret, "whsec_"), a.callers["alice"]}
	return a
}

// raw sends what no client of net/http sends.
func (a *attacker) raw() {
	u, _ := url.Parse(a.base)
	token := a.callers["alice"]
	for _, c := range []struct{ name, request, want string }{
		{"a body cut short", "POST /v1/proofs HTTP/1.1\r\nConnection: close\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"model\":", "4.."},
		{"a blob cut short", "PUT /v1/blobs/" + strings.Repeat("0", 64) + " HTTP/1.1\r\nConnection: close\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nContent-Length: 1000\r\n\r\nxxx", "4.."},
		{"a bad chunk", "POST /v1/proofs HTTP/1.1\r\nConnection: close\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "(400|408)"},
		{"two lengths", "POST /v1/proofs HTTP/1.1\r\nConnection: close\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "400"},
		{"length and chunks", "POST /v1/proofs HTTP/1.1\r\nConnection: close\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "4.."},
		{"a header of 64 KiB", "GET /v1/proofs HTTP/1.1\r\nConnection: close\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "431"},
		{"no host", "GET /v1/proofs HTTP/1.1\r\n\r\n", "400"},
		{"not http", "\x16\x03\x01\x00\xff\x00\r\n\r\n", "400"},
		{"a path upwards", "GET /v1/../../../etc/passwd HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n", "(301|307|404)"},
		{"a path upwards, escaped", "GET /v1/blobs/%2e%2e%2f%2e%2e%2foperator.key HTTP/1.1\r\nConnection: close\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\n\r\n", "422"},
		{"a nul in the path", "GET /v1/blobs/%00 HTTP/1.1\r\nConnection: close\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\n\r\n", "422"},
	} {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			a.t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		io.WriteString(conn, c.request)
		if strings.Contains(c.name, "cut short") {
			conn.(*net.TCPConn).CloseWrite()
		}
		answer, _ := io.ReadAll(io.LimitReader(conn, 1<<20))
		conn.Close()
		if !regexp.MustCompile(`^HTTP/1\.[01] ` + c.want + ` `).Match(answer) {
			a.t.Errorf("%s: %.200q, want %s", c.name, answer, c.want)
		}
	}
}
