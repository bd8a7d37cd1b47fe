// SPDX-License-Identifier: ISC

package interop

// A discovery over https: who is believed, and who is not.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // for SSL_CERT_FILE
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	// The confined user reads it.
	dir, err := os.MkdirTemp("", "skypty-ca")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	_ = os.Chmod(dir, 0o755)
	a := &authority{key: key, file: filepath.Join(dir, "ca.pem")}
	a.cert, _ = x509.ParseCertificate(der)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(a.file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) issue(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	if change != nil {
		change(tmpl)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secure puts the discovery behind TLS.
func (o *overlay) secure(t testing.TB, c tls.Certificate) string {
	t.Helper()
	s := httptest.NewUnstartedServer(o.disc)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func TestHTTPSDiscovery(t *testing.T) {
	a := newAuthority(t)
	t.Setenv("SSL_CERT_FILE", a.file)
	o := newOverlay(t, 1)
	url := o.secure(t, a.issue(t, nil))
	h := o.host(t, map[string]any{"dmsgdisc": url}).ready(t)
	for _, u := range []string{url, strings.Replace(url, "127.0.0.1", "localhost", 1)} {
		out, errs, code := o.dmsgRun(t, h.client, nil, "exec", "--dmsgdisc", u, h.key.Hex(), "--", "echo", "in")
		if out != "in\n" || code != 0 {
			t.Fatalf("%s: %q %q %d", u, out, errs, code)
		}
	}
	// More than one record, and the program has gone with each answer.
	for range 500 {
		o.disc.AddServer(NewKey().PK, "127.0.0.1:1")
	}
	out, errs, code := o.dmsgRun(t, h.client, nil, "exec", "--dmsgdisc", url, h.key.Hex(), "--", "echo", "in")
	if out != "in\n" || code != 0 {
		t.Fatalf("%q %q %d", out, errs, code)
	}
}

func TestHTTPSDiscoveryNotBelieved(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	t.Setenv("SSL_CERT_FILE", a.file)
	o := newOverlay(t, 1)
	k := NewKey()
	for name, c := range map[string]struct {
		cert tls.Certificate
		why  string
	}{
		"another name": {a.issue(t, func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses = []string{"example.org"}, nil
		}), "mismatch"},
		"expired": {a.issue(t, func(c *x509.Certificate) {
			c.NotAfter = time.Now().Add(-time.Minute)
		}), "certificate has expired"},
		"unknown authority": {other.issue(t, nil), "unable to get local issuer certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			url := o.secure(t, c.cert)
			out, errs, code := o.dmsgRun(t, k, nil, "exec", "--dmsgdisc", url, k.Hex(), "--", "true")
			if out != "" || !strings.Contains(errs, c.why) || code != 255 {
				t.Fatalf("%q %q %d", out, errs, code)
			}
			h := o.host(t, map[string]any{"dmsgdisc": url})
			eventually(t, "the host's word", func() bool { return h.said(c.why) })
			if _, ok := o.disc.Entry(h.key.PK); ok {
				t.Error("it is registered all the same")
			}
		})
	}
	t.Run("old TLS", func(t *testing.T) {
		s := httptest.NewUnstartedServer(o.disc)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{a.issue(t, nil)},
			MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		s.StartTLS()
		t.Cleanup(s.Close)
		_, errs, code := o.dmsgRun(t, k, nil, "exec", "--dmsgdisc", s.URL, k.Hex(), "--", "true")
		if !strings.Contains(errs, "protocol version") || code != 255 {
			t.Fatalf("%q %d", errs, code)
		}
	})
	t.Run("no TLS", func(t *testing.T) {
		url := strings.Replace(o.http.URL, "http:", "https:", 1)
		_, errs, code := o.dmsgRun(t, k, nil, "exec", "--dmsgdisc", url, k.Hex(), "--", "true")
		if !strings.Contains(errs, "wrong version number") || code != 255 {
			t.Fatalf("%q %d", errs, code)
		}
	})
	t.Run("silence", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, errs, code := o.dmsgRun(t, k, nil, "exec", "--dmsgdisc", "https://"+l.Addr().String(), k.Hex(), "--", "true")
		if !strings.Contains(errs, "no answer to the TLS handshake") || code != 255 {
			t.Fatalf("%q %d", errs, code)
		}
	})
}
