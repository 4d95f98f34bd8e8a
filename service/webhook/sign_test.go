package webhook

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

// TestVector signs the message that Standard Webhooks' own libraries are tested with.
func TestVector(t *testing.T) {
	secret, err := ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	body, at := []byte(`{"test": 2432232314}`), time.Unix(1614265330, 0)
	h := http.Header{}
	Sign(h, []Secret{secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
	for name, want := range map[string]string{
		"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
		"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestVerify(t *testing.T) {
	s, other := NewSecret(), NewSecret()
	body, at := []byte(`{"type":"proof.succeeded"}`), time.Unix(1700000000, 0)
	h := http.Header{}
	Sign(h, []Secret{other, s}, "msg_a", at, body)
	changed := func(name, value string) http.Header {
		c := h.Clone()
		c.Set(name, value)
		return c
	}
	for _, c := range []struct {
		name   string
		secret Secret
		header http.Header
		body   string
		now    time.Time
		want   error
	}{
		{"good", s, h, string(body), at.Add(time.Minute), nil},
		{"by the old secret", other, h, string(body), at.Add(-time.Minute), nil},
		{"another secret", NewSecret(), h, string(body), at, ErrSignature},
		{"another body", s, h, string(body) + " ", at, ErrSignature},
		{"another id", s, changed("webhook-id", "msg_b"), string(body), at, ErrSignature},
		{"another time", s, changed("webhook-timestamp", "1700000001"), string(body), at, ErrSignature},
		{"no time", s, changed("webhook-timestamp", ""), string(body), at, ErrSignature},
		{"no signature", s, changed("webhook-signature", ""), string(body), at, ErrSignature},
		{"old", s, h, string(body), at.Add(6 * time.Minute), ErrStale},
		{"from the future", s, h, string(body), at.Add(-6 * time.Minute), ErrStale},
	} {
		if err := c.secret.Verify(c.header, []byte(c.body), c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	again, err := ParseSecret(s.String())
	if err != nil || again.String() != s.String() {
		t.Errorf("%v, %v", again, err)
	}
	for _, wrong := range []string{"", "whsec_", "whsec_AAAA", "whsec_!", s.String()[6:]} {
		if _, err := ParseSecret(wrong); err == nil {
			t.Errorf("%q is a secret", wrong)
		}
	}
}
