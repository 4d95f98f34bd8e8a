package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

const (
	// timeout is for one attempt, from the name to the answer.
	timeout = 15 * time.Second
	// maxAnswer is what is read of an answer's body, in bytes; maxHeader of its header.
	maxAnswer = 16 << 10
	maxHeader = 16 << 10
)

// Client sends messages.
type Client struct{ http *http.Client }

// NewClient returns a client. With internal set it connects to all addresses and uses http
// where a URL says so; that is for tests.
func NewClient(internal bool) *Client { return newClient(internal, nil) }

// newClient returns a client that resolves names in its own way.
func newClient(internal bool, names *net.Resolver) *Client {
	dialer := &net.Dialer{Timeout: timeout, KeepAlive: -1, Resolver: names}
	if !internal {
		dialer.Control = onlyPublic
	}
	return &Client{&http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, DisableKeepAlives: true, DisableCompression: true,
			TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: maxHeader,
		},
	}}
}

// onlyPublic is called with the very address that a connection is about to be made to, after
// the name was resolved: a name that is public now and internal a moment later gains nothing.
func onlyPublic(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" || !Public(to.Addr()) {
		return ErrInternal
	}
	return nil
}

// StatusError is an answer that isn't a success.
type StatusError struct {
	Status int
	// After is when the receiver wants to be asked again.
	After time.Duration
}

// Error implements error.
func (e *StatusError) Error() string { return fmt.Sprintf("the webhook was answered %d", e.Status) }

// Send makes one attempt at a message. It succeeds if the answer is one of 200 to 299.
func (c *Client) Send(ctx context.Context, url string, secrets []Secret, id string, at time.Time, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return errors.New("webhook: the url can't be used")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "zkml-webhook")
	Sign(request.Header, secrets, id, at, body)
	answer, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("webhook: %w", unnamed(err))
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		return nil
	}
	failed := &StatusError{Status: answer.StatusCode}
	if s, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && s > 0 {
		failed.After = time.Duration(min(s, 1<<20)) * time.Second
	}
	return failed
}

// class says in a log what an error was, without the host, which is of the request.
func class(err error) string {
	var status *StatusError
	var name *net.DNSError
	var late net.Error
	var certificate *tls.CertificateVerificationError
	var call syscall.Errno
	switch {
	case errors.As(err, &status):
		return status.Error()
	case errors.Is(err, ErrInternal):
		return ErrInternal.Error()
	case errors.As(err, &name):
		return "the host's name can't be resolved"
	case errors.As(err, &late) && late.Timeout():
		return "no answer in time"
	case errors.As(err, &certificate):
		return "the host's certificate isn't valid"
	case errors.As(err, &call):
		return call.Error()
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return fmt.Sprintf("an error of type %T", err)
}

// unnamed takes the URL, which may hold a secret, out of an error.
func unnamed(err error) error {
	type wrapper interface{ Unwrap() error }
	if w, ok := err.(wrapper); ok && w.Unwrap() != nil {
		return w.Unwrap()
	}
	return err
}
