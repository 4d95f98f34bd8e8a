package webhook

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"93.184.216.34": true, "1.1.1.1": true, "2606:2800:220:1::1": true, "172.32.0.1": true, "100.128.0.1": true, "192.0.1.1": true,
		"127.0.0.1": false, "127.255.255.254": false, "0.0.0.0": false, "10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "100.100.100.200": false, "100.127.255.255": false,
		"224.0.0.1": false, "239.1.1.1": false, "255.255.255.255": false, "240.0.0.1": false, "192.0.0.1": false, "198.18.0.1": false,
		"198.19.255.255": false, "192.0.2.1": false, "198.51.100.1": false, "203.0.113.1": false, "192.88.99.1": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false,
		"fec0::1": false, "::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:93.184.216.34": true, "::127.0.0.1": false,
		"::93.184.216.34": false, "64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b::5db8:d822": true, "64:ff9b:1::7f00:1": false,
		"2002:7f00:1::1": false, "2002:a9fe:a9fe::1": false, "2002:5db8:d822::1": true, "2001::1": false, "2001:0:1:2::": false,
		"2001:db8::1": false, "2001:2::1": false, "2001:20::1": false, "3fff::1": false, "5f00::1": false, "100::1": false, "4000::1": false,
		"2606:2800:220:1::1%eth0": false,
	} {
		if got := Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: public %v", text, got)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func TestCheckURL(t *testing.T) {
	for _, c := range []struct {
		url            string
		open, insecure bool
	}{
		{"https://example.com/hook?x=1", true, true},
		{"https://example.com:8443/", true, true},
		{"https://93.184.216.34/", true, true},
		{"http://example.com/", false, true},
		{"https://127.0.0.1/", false, true},
		{"https://[::1]/", false, true},
		{"https://[::ffff:10.0.0.1]/", false, true},
		{"https://[fe80::1%25eth0]/", false, true},
		{"https://user:secret@example.com/", false, false},
		{"ftp://example.com/", false, false},
		{"file:///etc/passwd", false, false},
		{"gopher://example.com/", false, false},
		{"https:example.com", false, false},
		{"https:///x", false, false},
		{"example.com", false, false},
		{"", false, false},
		{"https://exa\nmple.com", false, false},
		{"https://example.com/" + strings.Repeat("x", 2000), false, false},
	} {
		if err := CheckURL(c.url, false); (err == nil) != c.open {
			t.Errorf("%.60q: %v", c.url, err)
		}
		if err := CheckURL(c.url, true); (err == nil) != c.insecure {
			t.Errorf("%.60q for tests: %v", c.url, err)
		}
	}
}

// names answers every question with the next of some addresses, over UDP on this machine.
func names(t *testing.T, addresses ...string) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	asked := &atomic.Int64{}
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
			if q.Type == dnsmessage.TypeA {
				i := asked.Add(1) - 1
				a := netip.MustParseAddr(addresses[int(i)%len(addresses)])
				if a.Is4() {
					m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: a.As4()}}}
				}
			} else if a := netip.MustParseAddr(addresses[0]); q.Type == dnsmessage.TypeAAAA && a.Is6() {
				asked.Add(1)
				m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}}}
			}
			if data, err := m.Pack(); err == nil {
				server.WriteTo(data, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}, asked
}

// TestInternal has names lead to this machine, some of them only when they are asked for a
// second time. No connection may be made.
func TestInternal(t *testing.T) {
	var hits atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer target.Close()
	u, _ := url.Parse(target.URL)
	ctx := t.Context()
	send := func(c *Client, to string) error {
		return c.Send(ctx, to, []Secret{NewSecret()}, "msg_a", time.Now(), []byte("{}"))
	}
	for _, c := range []struct {
		name      string
		addresses []string
	}{
		{"loopback", []string{"127.0.0.1"}},
		{"rebinding", []string{"203.0.113.1", "127.0.0.1"}},
		{"metadata", []string{"169.254.169.254"}},
		{"mapped", []string{"::ffff:127.0.0.1"}},
		{"loopback 6", []string{"::1"}},
		{"nat64", []string{"64:ff9b::7f00:1"}},
	} {
		resolver, asked := names(t, c.addresses...)
		client := newClient(false, resolver)
		for range 3 {
			if err := send(client, "http://hook.test:"+u.Port()+"/"); !errors.Is(err, ErrInternal) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if asked.Load() < 3 {
			t.Errorf("%s: the name was asked for %d times", c.name, asked.Load())
		}
	}
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0177.0.0.1"} {
		if err := send(NewClient(false), "http://"+host+":"+u.Port()+"/"); err == nil {
			t.Errorf("%s was reached", host)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("%d connections to this machine", hits.Load())
	}
	resolver, _ := names(t, "127.0.0.1")
	if err := send(newClient(true, resolver), "http://hook.test:"+u.Port()+"/"); err != nil || hits.Load() != 1 {
		t.Errorf("the same with leave: %v, %d connections", err, hits.Load())
	}
	t.Setenv("HTTP_PROXY", target.URL)
	t.Setenv("http_proxy", target.URL)
	if err := send(newClient(false, resolver), "http://hook.test/"); !errors.Is(err, ErrInternal) || hits.Load() != 1 {
		t.Errorf("through a proxy: %v, %d connections", err, hits.Load())
	}
}

// TestAnswers has the receiver answer in ways that must not matter, or must.
func TestAnswers(t *testing.T) {
	var redirected atomic.Int64
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/target", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/target", func(http.ResponseWriter, *http.Request) { redirected.Add(1) })
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	sent := make(chan int64, 1)
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		var n int64
		for chunk := make([]byte, 1<<16); n < 1<<30; n += 1 << 16 {
			if _, err := w.Write(chunk); err != nil || r.Context().Err() != nil {
				break
			}
		}
		sent <- n
	})
	mux.HandleFunc("/header", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<16)) })
	c := NewClient(true)
	send := func(path string) error {
		return c.Send(t.Context(), server.URL+path, []Secret{NewSecret()}, "msg_a", time.Now(), []byte("{}"))
	}
	if err := send("/ok"); err != nil {
		t.Error(err)
	}
	var status *StatusError
	if err := send("/redirect"); !errors.As(err, &status) || status.Status != 307 || redirected.Load() != 0 {
		t.Errorf("redirect: %v, followed %d times", err, redirected.Load())
	}
	if err := send("/busy"); !errors.As(err, &status) || status.Status != 503 || status.After != 2*time.Minute {
		t.Errorf("busy: %v", err)
	}
	if err := send("/endless"); err != nil {
		t.Error(err)
	}
	if n := <-sent; n > 64<<20 {
		t.Errorf("%d bytes of an endless answer were taken", n)
	}
	if err := send("/header"); err == nil {
		t.Error("a header of 64 KiB was taken")
	}
	err := c.Send(t.Context(), "http://127.0.0.1:1/secret-path", []Secret{NewSecret()}, "msg_a", time.Now(), nil)
	if err == nil || strings.Contains(err.Error(), "secret-path") {
		t.Errorf("an error that tells the url: %v", err)
	}
}
