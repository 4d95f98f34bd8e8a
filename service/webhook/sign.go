// Package webhook tells a tenant's server that a job has ended.
//
// A message is a POST request, signed as Standard Webhooks says
// (https://www.standardwebhooks.com), so that its libraries verify it:
//
//	webhook-id: msg_…               the same for every attempt at one message
//	webhook-timestamp: 1614265330   of the attempt
//	webhook-signature: v1,…         base64 of HMAC-SHA-256 over id.timestamp.body
//
// A message is sent at least once, by whatever server gets to it: [Deliverer] keeps in a
// bucket how often it was tried and when it is due again, so that restarts lose nothing.
//
// The address is the tenant's choice, and the service often stands where its tenants don't:
// beside databases and metadata services. So [Client] connects to public addresses only, which
// it looks at when it connects and not when the name is resolved, follows no redirect, uses no
// proxy, wants https, and reads little of what is answered.
package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// secretPrefix marks secrets.
const secretPrefix = "whsec_"

// Secret is what a tenant and the service share to sign messages with.
type Secret []byte

// NewSecret returns a random secret of 32 bytes.
func NewSecret() Secret {
	s := make(Secret, 32)
	rand.Read(s)
	return s
}

// ParseSecret reads a secret in the form of String. It has 24 to 64 bytes.
func ParseSecret(text string) (Secret, error) {
	rest, ok := strings.CutPrefix(text, secretPrefix)
	if !ok {
		return nil, fmt.Errorf("webhook secret: want one that begins with %s", secretPrefix)
	}
	s, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		return nil, errors.New("webhook secret: not base64")
	}
	if len(s) < 24 || len(s) > 64 {
		return nil, fmt.Errorf("webhook secret: %d bytes: want 24 to 64", len(s))
	}
	return s, nil
}

// String returns "whsec_" and base64.
func (s Secret) String() string { return secretPrefix + base64.StdEncoding.EncodeToString(s) }

// sign returns the signature of a message.
func (s Secret) sign(id string, at time.Time, body []byte) string {
	h := hmac.New(sha256.New, s)
	fmt.Fprintf(h, "%s.%d.", id, at.Unix())
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// The headers of a message.
const (
	headerID        = "Webhook-Id"
	headerTime      = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// Sign sets the headers of a message, with a signature by each secret: while a secret is being
// replaced there are two.
func Sign(h http.Header, secrets []Secret, id string, at time.Time, body []byte) {
	signatures := make([]string, len(secrets))
	for i, s := range secrets {
		signatures[i] = s.sign(id, at, body)
	}
	h.Set(headerID, id)
	h.Set(headerTime, strconv.FormatInt(at.Unix(), 10))
	h.Set(headerSignature, strings.Join(signatures, " "))
}

// Errors of Verify.
var (
	// ErrSignature: no signature is by the secret.
	ErrSignature = errors.New("the webhook's signature isn't by this secret")
	// ErrStale: the message is older or newer than the tolerance.
	ErrStale = errors.New("the webhook's timestamp is too far from now")
)

// Tolerance is how far a message's time may be from the receiver's.
const Tolerance = 5 * time.Minute

// Verify checks a message that was received. Who receives should also remember the ids of the
// last minutes, since a message may come twice.
func (s Secret) Verify(h http.Header, body []byte, now time.Time) error {
	seconds, err := strconv.ParseInt(h.Get(headerTime), 10, 64)
	if err != nil {
		return ErrSignature
	}
	at := time.Unix(seconds, 0)
	want := s.sign(h.Get(headerID), at, body)
	found := false
	for _, got := range strings.Fields(h.Get(headerSignature)) {
		found = hmac.Equal([]byte(got), []byte(want)) || found
	}
	if !found {
		return ErrSignature
	}
	if now.Sub(at).Abs() > Tolerance {
		return ErrStale
	}
	return nil
}
