// SPDX-License-Identifier: ISC

package interop

// Tokens, limits, ends, memory, TLS and where it listens.

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pkg/sftp"
)

func (w *web) status(t testing.TB, url string) int {
	t.Helper()
	return get(t, url, nil).StatusCode
}

func (w *web) withCookie(t testing.TB, cookie string) int {
	t.Helper()
	return get(t, w.base, http.Header{"Cookie": {cookie}}).StatusCode
}

func TestWebTokens(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	if s := w.status(t, w.link(t, 1)); s != 403 {
		t.Errorf("the link once more: %d", s)
	}
	again := get(t, w.link(t, 1), http.Header{"Cookie": {w.cookie}})
	if again.StatusCode != 303 || len(again.Cookies()) != 0 {
		t.Errorf("the link once more, let in: %d, %v", again.StatusCode, again.Cookies())
	}
	_ = w.cmd.Process.Signal(syscall.SIGUSR1)
	second := w.link(t, 2)
	_ = w.cmd.Process.Signal(syscall.SIGUSR1)
	w.link(t, 3)
	if s := w.status(t, second); s != 403 {
		t.Errorf("a link that was replaced: %d", s)
	}
	other := w.enter(t)
	if other == w.cookie || w.withCookie(t, other) != 200 || w.withCookie(t, w.cookie) != 200 {
		t.Error("one cookie voids the other")
	}
	v := startWeb(t, sock)
	name, _, _ := strings.Cut(v.cookie, "=")
	_, value, _ := strings.Cut(w.cookie, "=")
	if s := v.withCookie(t, name+"="+value); s != 401 {
		t.Errorf("a cookie of another terminal: %d", s)
	}
	for range 100 {
		v.status(t, v.base+"?token="+strings.Repeat("00", 32))
	}
	_ = v.cmd.Process.Signal(syscall.SIGUSR1)
	if s := v.status(t, v.link(t, 2)); s != 303 {
		t.Errorf("a good one after many that are wrong: %d", s)
	}
	if v.withCookie(t, v.cookie) != 200 {
		t.Error("a cookie is void after wrong tokens of others")
	}
	for _, bad := range []string{"", "x", strings.Repeat("0", 63), strings.Repeat("0", 65), strings.Repeat("g", 64)} {
		if s := v.status(t, v.base+"?token="+bad); s != 403 && s != 401 {
			t.Errorf("token %q: %d", bad, s)
		}
	}
	eventually(t, "the log", func() bool { return strings.Contains(v.logged(), "Refused a token of 127.0.0.1") })
	if n := strings.Count(v.logged(), "Refused a token"); n > 20 {
		t.Errorf("%d lines about wrong tokens", n)
	}
	if strings.Contains(v.logged()+w.logged(), value) || strings.Contains(w.logged(), "token=") {
		t.Error("the log tells secrets")
	}
}

func TestWebTokenElsewhere(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := launchWeb(t, "--addr", "127.0.0.1:0", "--haddr", sock)
	link := w.link(t, 1)
	for _, h := range []http.Header{
		{"Sec-Fetch-Mode": {"no-cors"}}, {"Sec-Fetch-Mode": {"cors"}}, {"Sec-Fetch-Mode": {"websocket"}},
		{"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"iframe"}},
	} {
		for range 10 { // it counts as no try
			if s := get(t, link, h).StatusCode; s != 403 {
				t.Fatalf("%v: %d", h, s)
			}
		}
	}
	resp := get(t, link, http.Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"},
		"Sec-Fetch-Site": {"cross-site"}})
	if resp.StatusCode != 200 || len(resp.Cookies()) != 1 || resp.Cookies()[0].SameSite != http.SameSiteStrictMode {
		t.Errorf("%+v", resp)
	}
}

func TestWebExpiry(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock, "--session-ttl", "15s")
	if w.withCookie(t, w.cookie) != 200 {
		t.Error("not let in at first")
	}
	eventually(t, "its end", func() bool { return w.withCookie(t, w.cookie) == 401 })
}

func TestWebLimits(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock, "--max-clients", "2")
	a, b := w.shell(t), w.shell(t)
	if code := w.dial(t, "", "skypty.1").end(); code != websocket.StatusTryAgainLater {
		t.Errorf("the third: %d", code)
	}
	w.dial(t, "sftp", "skypty.sftp").typed("\x00\x00\x00\x05\x01\x00\x00\x00\x03") // files are apart
	_ = a.c.CloseNow()
	eventually(t, "a place", func() bool {
		x := w.dial(t, "", "skypty.1")
		for x.next() {
			if x.message("open") != nil {
				return true
			}
		}
		return false
	})
	b.typed("exit\r")
	b.end()

	once := startWeb(t, sock, "--once")
	x := once.shell(t)
	if code := once.dial(t, "", "skypty.1").end(); code != websocket.StatusTryAgainLater {
		t.Errorf("a second one with --once: %d", code)
	}
	y := once.dial(t, "sftp", "skypty.sftp")
	y.typed("\x00\x00\x00\x05\x01\x00\x00\x00\x03")
	y.until("\x02\x00\x00\x00\x03")
	x.typed("exit\r")
	x.end()
	select {
	case <-once.ended:
		if s := once.cmd.ProcessState.ExitCode(); s != 0 {
			t.Errorf("exit status %d", s)
		}
	case <-time.After(time.Minute):
		t.Error("it goes on after --once")
	}

	idle := startWeb(t, sock, "--idle-timeout", "10s")
	z := idle.shell(t)
	z.typed("while sleep 0.1; do echo output; done\r")
	if code := z.end(); code != 4000 {
		t.Errorf("idle: %d", code)
	}
}

func TestWebReadOnly(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock, "--readonly", "--commands", "x=echo typed")
	for _, sub := range []string{"", "skypty.1"} {
		x := w.dial(t, "", sub)
		x.until("$ ")
		x.typed("echo typed\r")
		x.say("echo typed\r")
		x.untilQuiet()
		if bytes.Contains(x.out, []byte("typed")) {
			t.Errorf("%q: %q", sub, x.out)
		}
	}
	for _, query := range []string{"?commands=x", "sftp"} {
		sub := map[bool]string{true: "skypty.sftp", false: "skypty.1"}[query == "sftp"]
		_, resp, err := websocket.Dial(context.Background(), strings.Replace(w.base, "http", "ws", 1)+query,
			&websocket.DialOptions{Subprotocols: []string{sub}, HTTPHeader: http.Header{"Cookie": {w.cookie}}})
		if err == nil || resp.StatusCode != 403 {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func isGone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

// Whoever leaves, and however, the other side ends.
func TestWebEnds(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	shell := func() (*term, int) {
		x := w.shell(t)
		x.typed("echo pid $$ .\r")
		pid, _ := strconv.Atoi(x.match(`pid (\d+) \.`)[1])
		return x, pid
	}
	x, pid := shell()
	_ = x.c.CloseNow()
	eventually(t, "the shell of a browser that was killed", func() bool { return isGone(pid) })
	x, pid = shell()
	_ = x.c.Close(websocket.StatusNormalClosure, "")
	eventually(t, "the shell of a page that was closed", func() bool { return isGone(pid) })

	x, pid = shell()
	child := w.child(t)
	_ = syscall.Kill(child, syscall.SIGKILL)
	x.end()
	eventually(t, "the shell of a process that was killed", func() bool { return isGone(pid) })
	w.link(t, 2)
	eventually(t, "another process", func() bool {
		conn, err := net.Dial("tcp", w.addr())
		if err == nil {
			_ = conn.Close()
		}
		return err == nil && w.child(t) != child
	})
	if s := w.withCookie(t, w.cookie); s != 401 {
		t.Errorf("a cookie of the process before: %d", s)
	}
	w.cookie = w.enter(t)
	x, pid = shell()
	_ = w.cmd.Process.Signal(syscall.SIGTERM)
	if code := x.end(); code != websocket.StatusGoingAway {
		t.Errorf("closed with %d", code)
	}
	<-w.ended
	if s := w.cmd.ProcessState.ExitCode(); s != 0 {
		t.Errorf("exit status %d", s)
	}
	eventually(t, "the shell of a terminal that was ended", func() bool { return isGone(pid) })
}

// One that does not read costs little, and holds nobody up.
func TestWebSlowBrowser(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	data := make([]byte, 20_000_000)
	_, _ = crand.Read(data)
	path := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"", "skypty.1"} {
		x := w.dial(t, "", sub)
		x.until("$ ")
		before := w.rss(t)
		x.typed("stty raw -echo; printf g%s o:; cat " + path + "; stty sane; exit\r")
		x.until("go:")
		time.Sleep(time.Second)
		if grown := w.rss(t) - before; grown > 1024 {
			t.Errorf("%q: memory grew by %d kB", sub, grown)
		}
		other := w.shell(t)
		other.typed("echo quick\r")
		other.until("\rquick")
		_ = other.c.CloseNow()
		if code := x.end(); code != websocket.StatusNormalClosure {
			t.Errorf("%q: closed with %d", sub, code)
		}
		_, out, _ := bytes.Cut(x.out, []byte("go:"))
		if len(out) < len(data) || md5.Sum(out[:len(data)]) != md5.Sum(data) {
			t.Errorf("%q: %d bytes came, or others", sub, len(out))
		}
	}
}

func TestWebMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock, "--max-clients", "128")
	all := []*term{w.shell(t)}
	one := w.rss(t)
	for i := range 99 {
		if i%15 == 14 {
			time.Sleep(1100 * time.Millisecond) // connections to a host are rationed
		}
		all = append(all, w.shell(t))
	}
	idle := (w.rss(t) - one) / 99
	for _, x := range all {
		x.typed("stty -echo; head -c 600000 /dev/urandom | base64; printf %s the- end\r")
	}
	time.Sleep(2 * time.Second) // nobody reads
	busy := (w.rss(t) - one) / 99
	// All at once: those that answer no ping for long are dropped.
	var wg sync.WaitGroup
	for _, x := range all {
		wg.Go(func() { x.until("the-end") })
	}
	wg.Wait()
	t.Logf("skyptyd-http: %d kB with one terminal; for each more %d kB idle, %d kB with output that waits",
		one, idle, busy)
	if idle > 300 || busy > 300 {
		t.Errorf("%d and %d kB for each terminal", idle, busy)
	}
}

func TestWebFiles(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	x := w.dial(t, "sftp", "skypty.sftp")
	in, feed := io.Pipe()
	go func() {
		for m := range x.in {
			if m.err != nil {
				_ = feed.CloseWithError(m.err)
				return
			}
			_, _ = feed.Write(m.p)
		}
	}()
	c, err := sftp.NewClientPipe(in, &binaryWriter{x})
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 5_000_003)
	_, _ = crand.Read(data)
	path := filepath.Join(t.TempDir(), "f")
	f, err := c.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadFrom(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	f, err = c.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var back bytes.Buffer
	if _, err := f.WriteTo(&back); err != nil || !bytes.Equal(back.Bytes(), data) {
		t.Errorf("%d bytes, %v", back.Len(), err)
	}
	y := w.dial(t, "sftp", "skypty.sftp")
	y.say("text")
	if code := y.end(); code != websocket.StatusPolicyViolation {
		t.Errorf("text among files: %d", code)
	}
}

// binaryWriter cuts what is written into frames that are not too long.
type binaryWriter struct{ x *term }

func (b *binaryWriter) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		piece := p[n:min(n+30000, len(p))]
		err = b.x.c.Write(b.x.ctx, websocket.MessageBinary, piece)
		n += len(piece)
	}
	return n, err
}

func (b *binaryWriter) Close() error { return b.x.c.CloseNow() }

func selfSigned(t testing.TB) (cert, key string) {
	t.Helper()
	priv, _ := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(crand.Reader, tmpl, tmpl, priv.Public(), priv)
	if err != nil {
		t.Fatal(err)
	}
	pk, _ := x509.MarshalPKCS8PrivateKey(priv)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	_ = os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	_ = os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pk}), 0o600)
	return cert, key
}

// A certificate that is renewed is shown to who comes, and nobody has to go.
func TestWebRenewedCertificate(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	cert, key := selfSigned(t)
	w := startWeb(t, sock, "--tls-cert", cert, "--tls-key", key)
	addr := strings.TrimSuffix(strings.TrimPrefix(w.base, "https://"), "/")
	shown := func() (serial string, kind x509.PublicKeyAlgorithm) {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if len(c.ConnectionState().PeerCertificates) != 1 {
			t.Errorf("%d certificates", len(c.ConnectionState().PeerCertificates))
		}
		leaf := c.ConnectionState().PeerCertificates[0]
		return leaf.SerialNumber.String(), leaf.PublicKeyAlgorithm
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(w.link(t, 1))
	if err != nil || resp.StatusCode != 303 {
		t.Fatalf("%+v, %v", resp, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "wss://"+addr+"/", &websocket.DialOptions{HTTPClient: client,
		Subprotocols: []string{"skypty.1"}, HTTPHeader: http.Header{
			"Cookie": {resp.Cookies()[0].Name + "=" + resp.Cookies()[0].Value}, "Origin": {"https://" + addr}}})
	if err != nil {
		t.Fatal(err)
	}
	x := &term{t: t, c: c, ctx: ctx, acks: true, in: make(chan webFrame, webAhead)}
	go x.receive()
	x.until("$ ")
	hangUp := func(log string) {
		t.Helper()
		before := strings.Count(w.logged(), log)
		_ = w.cmd.Process.Signal(syscall.SIGHUP)
		eventually(t, log, func() bool { return strings.Count(w.logged(), log) > before })
	}
	// Of another kind of key, so that both could be served.
	priv, _ := rsa.GenerateKey(crand.Reader, 2048)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour)}
	der, _ := x509.CreateCertificate(crand.Reader, tmpl, tmpl, priv.Public(), priv)
	old, _ := os.ReadFile(key)
	pk, _ := x509.MarshalPKCS8PrivateKey(priv)
	_ = os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	hangUp("cannot be used, the old one stays: the key is another one's")
	_ = os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pk}), 0o600)
	if serial, kind := shown(); serial != "1" || kind != x509.ECDSA {
		t.Errorf("shows %s, %v before it was told", serial, kind)
	}
	hangUp("The new certificate is shown from now on")
	if serial, kind := shown(); serial != "2" || kind != x509.RSA {
		t.Errorf("shows %s, %v", serial, kind)
	}
	x.typed("echo goes on\r")
	x.until("\rgoes on")
	tmpl.NotAfter = time.Now().Add(-time.Hour)
	der, _ = x509.CreateCertificate(crand.Reader, tmpl, tmpl, priv.Public(), priv)
	for text, bad := range map[string][]byte{
		"it has expired":  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		"no start line":   []byte("nonsense\n"),
		"cannot be used,": append(old, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"...),
		"too large":       make([]byte, 70000),
	} {
		_ = os.WriteFile(cert, bad, 0o600)
		hangUp(text)
	}
	_ = os.Remove(cert)
	hangUp("No such file or directory; the old certificate stays")
	if serial, _ := shown(); serial != "2" {
		t.Errorf("shows %s", serial)
	}
	x.typed("echo still goes on\r")
	x.until("\rstill goes on")
	if strings.Contains(w.logged(), "killed") {
		t.Error(w.logged())
	}
}

func TestWebTLS(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	cert, key := selfSigned(t)
	w := startWeb(t, sock, "--tls-cert", cert, "--tls-key", key)
	addr := strings.TrimSuffix(strings.TrimPrefix(w.base, "https://"), "/")
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if err == nil {
			_ = c.Close()
			t.Errorf("%s is spoken", tls.VersionName(version))
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(w.link(t, 1))
	if err != nil || resp.StatusCode != 303 || !resp.Cookies()[0].Secure {
		t.Fatalf("%+v, %v", resp, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "wss://"+addr+"/", &websocket.DialOptions{HTTPClient: client,
		Subprotocols: []string{"skypty.1"}, HTTPHeader: http.Header{
			"Cookie": {resp.Cookies()[0].Name + "=" + resp.Cookies()[0].Value}, "Origin": {"https://" + addr}}})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(-1)
	x := &term{t: t, c: c, ctx: ctx, acks: true, in: make(chan webFrame, webAhead)}
	go x.receive()
	x.until("$ ")
	x.typed("head -c 3000000 /dev/zero | tr '\\0' x; echo; exit 9\r")
	if x.end(); len(x.out) < 3000000 || x.message("exit")["status"] != 9.0 {
		t.Errorf("%d bytes, %v", len(x.out), x.text)
	}
	if strings.Contains(w.logged(), "killed") {
		t.Error(w.logged())
	}
	// A handshake that never ends, and one of nonsense.
	for _, first := range []string{"\x16\x03\x01", "nonsense\r\n\r\n"} {
		p, _ := net.Dial("tcp", addr)
		_, _ = io.WriteString(p, first)
		_ = p.SetDeadline(time.Now().Add(2 * time.Minute))
		if _, err := io.ReadAll(p); err != nil && os.IsTimeout(err) {
			t.Errorf("%q is waited for without end", first)
		}
	}
}

func TestWebListen(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	path := filepath.Join(t.TempDir(), "w")
	w := launchWeb(t, "--unix", path, "--origin", "https://admin.test", "--auth-header", "X-User", "--haddr", sock)
	if link := w.link(t, 1); link != "https://admin.test/" {
		t.Errorf("link %q", link)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", path)
	}}}
	for user, want := range map[string]int{"": 401, "admin": 200} {
		req, _ := http.NewRequest("GET", "http://admin.test/config.json", nil)
		req.Header.Set("X-User", user)
		resp, err := client.Do(req)
		if err != nil || resp.StatusCode != want {
			t.Errorf("user %q: %+v, %v", user, resp, err)
		}
	}

	for _, c := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"--addr", "0.0.0.0:0", "--no-auth"}, "--i-know", 71},
		{[]string{"--addr", "127.0.0.1:0", "--auth-header", "X-User"}, "--unix", 71},
		{[]string{"--addr", "0.0.0.0:0", "--auth-header", "X-User"}, "--unix", 71},
		{[]string{"--unix", path + "2"}, "--origin", 64},
		{[]string{"--unix", path + "2", "--addr", "127.0.0.1:0"}, "not beside", 64},
		{[]string{"--tls-cert", "/dev/null"}, "both or neither", 64},
		{[]string{"--max-clients", "0"}, "--max-clients", 64},
		{[]string{"--max-clients", "100000"}, "--max-clients", 64},
		{[]string{"--idle-timeout", "soon"}, "90s, 15m or 12h", 64},
		{[]string{"--session-ttl", "0"}, "nobody would be let in", 64},
		{[]string{"--base-path", "/a b"}, "--base-path", 64},
		{[]string{"--origin", "admin.test"}, "https://name", 64},
		{[]string{"--commands", "x"}, "NAME=TEXT", 64},
		{[]string{"--commands", "a,b=x"}, "NAME=TEXT", 64},
		{[]string{"--auth-header", "X User"}, "header field", 64},
		{[]string{"--auth-header", "authorization"}, "X-Forwarded-User", 64},
		{[]string{"--auth-header", "X-Real-IP"}, "X-Forwarded-User", 64},
		{[]string{"--auth-header", "Sec-Fetch-Site"}, "X-Forwarded-User", 64},
		{[]string{"--hnet", "carrier-pigeon"}, "unix or tcp", 64},
		{[]string{"--unix-group", "no-such-group", "--unix", path + "2"}, "no such group", 64},
		{[]string{"--title", strings.Repeat("x", 300)}, "too long", 64},
		{[]string{"surplus"}, "no words", 64},
		{[]string{"--unheard-of"}, "--help", 64},
		{[]string{"--user", "no-such-user"}, "no such account", 71},
		{[]string{"--user", "root"}, "that is root", 71},
	} {
		if strings.HasPrefix(c.args[0], "--user") && os.Getuid() != 0 {
			continue
		}
		v := launchWeb(t, append(c.args, "--haddr", sock)...)
		select {
		case <-v.ended:
		case <-time.After(time.Minute):
			t.Errorf("%v: it serves", c.args)
			continue
		}
		if code := v.cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(v.logged(), c.want) {
			t.Errorf("%v: %d, %q", c.args, code, v.logged())
		}
	}
}

func TestWebTokenFile(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "link"), filepath.Join(dir, "victim")
	_ = os.WriteFile(victim, []byte("kept"), 0o644)
	_ = os.Symlink(victim, path)
	w := launchWeb(t, "--addr", "127.0.0.1:0", "--token-file", path, "--haddr", sock)
	var link string
	eventually(t, "the file", func() bool {
		b, _ := os.ReadFile(path)
		link = strings.TrimSpace(string(b))
		return strings.Contains(link, "token=")
	})
	st, err := os.Lstat(path)
	if err != nil || st.Mode() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if kept, _ := os.ReadFile(victim); string(kept) != "kept" {
		t.Error("a link was followed")
	}
	if s := get(t, link, nil).StatusCode; s != 303 {
		t.Errorf("the link: %d", s)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.out) != 0 {
		t.Errorf("printed: %q", w.out)
	}
	token := link[strings.Index(link, "=")+1:]
	for _, name := range []string{"cmdline", "environ"} {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", w.cmd.Process.Pid, name))
		if bytes.Contains(b, []byte(token)) {
			t.Error("the token is in " + name)
		}
	}
	if _, err := hex.DecodeString(token); err != nil || len(token) != 64 {
		t.Errorf("token %q", token)
	}
}
