// SPDX-License-Identifier: ISC

package interop

// A discovery over https: who is believed, and who is not.

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
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

// issue makes a certificate for localhost; an authority of nil signs nothing,
// which leaves a certificate that is its own.
func (a *authority) issue(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}}
	if change != nil {
		change(tmpl)
	}
	parent, signer := tmpl, key
	if a != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// zombiesBelow counts the dead skypty-tls of the programs that we run.
func zombiesBelow(t testing.TB) (n int) {
	t.Helper()
	parent := map[string]string{}
	var dead []string
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, err := os.ReadFile(path)
		name, rest, ok := strings.Cut(string(b), ") ")
		if err != nil || !ok {
			continue
		}
		pid, f := filepath.Base(filepath.Dir(path)), strings.Fields(rest)
		parent[pid] = f[1]
		if f[0] == "Z" && strings.HasSuffix(name, "(skypty-tls") {
			dead = append(dead, pid)
		}
	}
	for _, pid := range dead {
		if parent[parent[pid]] == strconv.Itoa(os.Getpid()) {
			n++
		}
	}
	return n
}

// secure puts the discovery behind TLS.
func (o *overlay) secure(t testing.TB, c tls.Certificate) string {
	t.Helper()
	return o.secureAs(t, func() tls.Certificate { return c }, nil)
}

// secureAs asks for the certificate each time and counts open connections.
func (o *overlay) secureAs(t testing.TB, cert func() tls.Certificate, open *atomic.Int32) string {
	t.Helper()
	s := httptest.NewUnstartedServer(o.disc)
	s.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{cert()}}, nil
	}}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if open != nil && state == http.StateNew {
			open.Add(1)
		} else if open != nil && (state == http.StateClosed || state == http.StateHijacked) {
			open.Add(-1)
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func TestHTTPSDiscovery(t *testing.T) {
	a := newAuthority(t)
	t.Setenv("SSL_CERT_FILE", a.file)
	o := newOverlay(t, 1)
	var open atomic.Int32
	cert := a.issue(t, nil)
	url := o.secureAs(t, func() tls.Certificate { return cert }, &open)
	h := o.host(t, map[string]any{"dmsgdisc": url}).ready(t)
	for _, u := range []string{url, strings.Replace(url, "127.0.0.1", "localhost", 1)} {
		out, errs, code := o.dmsgRun(t, h.client, nil, "exec", "--dmsgdisc", u, h.key.Hex(), "--", "echo", "in")
		if out != "in\n" || code != 0 {
			t.Fatalf("%s: %q %q %d", u, out, errs, code)
		}
	}
	// A long answer, in many records, for a host that knows nothing yet.
	o.disc.mu.Lock()
	o.disc.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/available_servers") {
			_, _ = io.WriteString(w, strings.Repeat(" ", 512<<10))
		}
		return false
	}
	o.disc.mu.Unlock()
	h = o.host(t, map[string]any{"dmsgdisc": url}).ready(t)
	if out, errs, code := o.dmsgRun(t, h.client, nil, "exec", "--dmsgdisc", url, h.key.Hex(), "--", "echo", "in"); out != "in\n" || code != 0 {
		t.Fatalf("%q %q %d", out, errs, code)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _, _ = o.dmsgRun(t, h.client, nil, "exec", "--dmsgdisc", url, h.key.Hex(), "--", "sleep", "1.5")
	}()
	time.Sleep(time.Second)
	if n := zombiesBelow(t); n != 0 {
		t.Errorf("%d zombies", n)
	}
	<-done
	eventually(t, "the end of all connections", func() bool { return open.Load() == 0 })
}

func TestHTTPSDiscoveryIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here")
	}
	a := newAuthority(t)
	t.Setenv("SSL_CERT_FILE", a.file)
	o := newOverlay(t, 1)
	s := &http.Server{Handler: o.disc}
	t.Cleanup(func() { s.Close() })
	go s.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{a.issue(t, nil)}}))
	url := "https://" + l.Addr().String()
	h := o.host(t, map[string]any{"dmsgdisc": url}).ready(t)
	out, errs, code := o.dmsgRun(t, h.client, nil, "exec", "--dmsgdisc", url, h.key.Hex(), "--", "echo", "in")
	if out != "in\n" || code != 0 {
		t.Fatalf("%q %q %d", out, errs, code)
	}
}

// The certificate is renewed while the host tries.
func TestHTTPSDiscoveryComesBack(t *testing.T) {
	a := newAuthority(t)
	t.Setenv("SSL_CERT_FILE", a.file)
	o := newOverlay(t, 1)
	good := a.issue(t, nil)
	bad := a.issue(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	var renewed atomic.Bool
	var asked atomic.Int32
	url := o.secureAs(t, func() tls.Certificate {
		asked.Add(1)
		if renewed.Load() {
			return good
		}
		return bad
	}, nil)
	h := o.host(t, map[string]any{"dmsgdisc": url})
	eventually(t, "three attempts", func() bool { return asked.Load() >= 3 })
	if !h.said("certificate has expired") || h.said("Reachable") {
		t.Error("it does not say why")
	}
	renewed.Store(true)
	h.ready(t)
}

// tlsPrograms copies the programs that a discovery over https needs, and those
// named in more, to a folder of their own.
func tlsPrograms(t *testing.T, mode os.FileMode, names ...string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "skypty-bin")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	_ = os.Chmod(dir, mode)
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(program(t, "SKYPTYD", "skyptyd")), name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Programs in a folder of root's alone, as when it builds in its home.
func TestHTTPSDiscoveryPrivateFolder(t *testing.T) {
	a := newAuthority(t)
	t.Setenv("SSL_CERT_FILE", a.file)
	o := newOverlay(t, 1)
	dir := tlsPrograms(t, 0o700, "skyptyd", "skyptyd-monitor", "skyptyd-dmsg-monitor", "skyptyd-net", "skyptyd-dmsg", "skyptyd-connect", "skypty-tls")
	t.Setenv("SKYPTYD", filepath.Join(dir, "skyptyd"))
	o.host(t, map[string]any{"dmsgdisc": o.secure(t, a.issue(t, nil))}).ready(t)
}

func TestHTTPSWithoutTLSProgram(t *testing.T) {
	dir := tlsPrograms(t, 0o755, "skyptyd", "skypty", "skyptyd-monitor")
	t.Setenv("SKYPTYD", filepath.Join(dir, "skyptyd"))
	t.Setenv("SKYPTY", filepath.Join(dir, "skypty"))
	o := newOverlay(t, 1)
	url := strings.Replace(o.http.URL, "http:", "https:", 1)
	_, errs, code := o.dmsgRun(t, NewKey(), nil, "exec", "--dmsgdisc", url, NewKey().Hex(), "--", "true")
	if strings.Contains(errs, "wrong version number") {
		t.Skip("one is installed")
	}
	if !strings.Contains(errs, "built without libssl") || code != 255 {
		t.Errorf("%q %d", errs, code)
	}
	h := o.host(t, map[string]any{"dmsgdisc": url})
	eventually(t, "the host's word", func() bool { return h.said("built without libssl") })
	if err := h.cmd.Wait(); err == nil || h.cmd.ProcessState.ExitCode() != 78 {
		t.Errorf("the host ends with %v", err)
	}
}

// relay starts skypty-tls with a server's connection and gives its plain side.
func relay(t *testing.T, file string, serve func(net.Conn)) (*os.File, *exec.Cmd) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		if c, err := l.Accept(); err == nil {
			serve(c)
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	netSide, err := c.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer netSide.Close()
	sv, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = syscall.SetNonblock(sv[0], true)
	plain, theirs := os.NewFile(uintptr(sv[0]), "plain"), os.NewFile(uintptr(sv[1]), "theirs")
	defer theirs.Close()
	t.Cleanup(func() { plain.Close() })
	cmd := exec.Command(filepath.Join(filepath.Dir(program(t, "SKYPTYD", "skyptyd")), "skypty-tls"), "127.0.0.1")
	cmd.Env = []string{"SSL_CERT_FILE=" + file}
	cmd.ExtraFiles = []*os.File{netSide, theirs}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	word := make([]byte, 3)
	if _, err := io.ReadFull(plain, word); err != nil || string(word) != "ok\n" {
		t.Fatalf("%q %v", word, err)
	}
	return plain, cmd
}

func TestHTTPSRelay(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	cert := a.issue(t, nil)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		conf := &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: version}
		t.Run(tls.VersionName(version), func(t *testing.T) {
			plain, cmd := relay(t, a.file, func(c net.Conn) {
				s := tls.Server(c, conf)
				_, _ = io.CopyN(s, s, 32<<20)
				s.Close()
			})
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
			filter := "\nSeccomp:\t2\n"
			if program, _ := os.ReadFile(cmd.Path); bytes.Contains(program, []byte("__asan_init")) {
				filter = "" // the sanitizers need more than it allows
			}
			if err != nil || !strings.Contains(string(status), filter) ||
				!strings.Contains(string(status), "\nNoNewPrivs:\t1\n") {
				t.Errorf("not confined: %v\n%s", err, status)
			}
			sent := make([]byte, 32<<20)
			_, _ = rand.Read(sent)
			go plain.Write(sent)
			time.Sleep(300 * time.Millisecond) // both directions fill up
			got, err := io.ReadAll(plain)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d bytes of %d, %v", len(got), len(sent), err)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("nobody reads", func(t *testing.T) {
		ended := make(chan struct{})
		plain, cmd := relay(t, a.file, func(c net.Conn) {
			_, _ = io.Copy(io.Discard, tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}}))
			close(ended)
		})
		plain.Close()
		<-ended
		_ = cmd.Wait()
	})
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
		"its own authority": {(*authority)(nil).issue(t, nil), "self-signed certificate"},
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
	t.Run("name in the subject", func(t *testing.T) {
		url := o.secure(t, a.issue(t, func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses, c.Subject.CommonName = nil, nil, "localhost"
		}))
		url = strings.Replace(url, "127.0.0.1", "localhost", 1)
		_, errs, code := o.dmsgRun(t, k, nil, "exec", "--dmsgdisc", url, k.Hex(), "--", "true")
		if !strings.Contains(errs, "mismatch") || code != 255 {
			t.Fatalf("%q %d", errs, code)
		}
	})
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
		conns := make(chan net.Conn, 64)
		go func() {
			defer close(conns)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				conns <- c
			}
		}()
		const why = "no answer to the TLS handshake"
		url := "https://" + l.Addr().String()
		h := o.host(t, map[string]any{"dmsgdisc": url})
		_, errs, code := o.dmsgRun(t, k, nil, "exec", "--dmsgdisc", url, k.Hex(), "--", "true")
		if !strings.Contains(errs, why) || code != 255 {
			t.Fatalf("%q %d", errs, code)
		}
		eventually(t, "the host's word", func() bool { return h.said(why) })
		h.stop()
		l.Close()
		// Nobody goes on waiting.
		for c := range conns {
			_ = c.SetReadDeadline(time.Now().Add(60 * time.Second))
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Error(err)
			}
			c.Close()
		}
	})
}
