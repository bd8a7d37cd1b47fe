// SPDX-License-Identifier: ISC

package interop

// Hosts of the original behind skyptyd http: calls, and sessions they keep.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// keeper is a host with a control socket that keeps sessions, or does not.
type keeper struct {
	plain    bool          // no StartSession, no Attach
	startErr string        // what starting says
	readErr  string        // what the first Read says
	tooMuch  int           // bytes that each Read gives, whatever was asked for
	sizing   chan struct{} // a size is set when this is closed
	mu       sync.Mutex
	sessions map[string]*gateway
	asked    []string
}

func (k *keeper) serve(t testing.TB) (sock string) {
	t.Helper()
	k.sessions = map[string]*gateway{}
	sock = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.Close()
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, g := range k.sessions {
			_ = g.stop()
		}
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go k.connection(c)
		}
	}()
	return sock
}

func (k *keeper) connection(c net.Conn) {
	defer c.Close()
	var n [1]byte
	if _, err := io.ReadFull(c, n[:]); err != nil {
		return
	}
	uri := make([]byte, n[0])
	if _, err := io.ReadFull(c, uri); err != nil {
		return
	}
	k.mu.Lock()
	k.asked = append(k.asked, string(uri))
	k.mu.Unlock()
	if withoutQuery(string(uri)) != "dmsgpty/pty" {
		_, _ = c.Write([]byte{1})
		return
	}
	_, _ = c.Write([]byte{0})
	s := rpc.NewServer()
	if k.plain {
		g := &gateway{host: &Host{}}
		defer g.stop()
		_ = s.RegisterName("pty", g)
	} else {
		_ = s.RegisterName("pty", &keptGateway{k: k})
	}
	s.ServeConn(c)
}

// keptGateway is one connection to sessions that outlive it.
type keptGateway struct {
	k *keeper
	g *gateway
}

// StartSession starts a shell and names it.
func (p *keptGateway) StartSession(r CommandReq, id *string) error {
	if p.k.startErr != "" {
		return errors.New(p.k.startErr)
	}
	p.k.mu.Lock()
	defer p.k.mu.Unlock()
	p.g = &gateway{host: &Host{End: p.k.readErr}}
	*id = fmt.Sprintf("%016x", len(p.k.sessions)+1)
	p.k.sessions[*id] = p.g
	return p.g.Start(r, nil)
}

// Attach goes on with one.
func (p *keptGateway) Attach(id string, _ *struct{}) error {
	p.k.mu.Lock()
	defer p.k.mu.Unlock()
	if p.g = p.k.sessions[id]; p.g == nil {
		return errors.New("dmsgpty: session not found")
	}
	return nil
}

// Read gives more than was asked for, where that is to be seen.
func (p *keptGateway) Read(n int, b *[]byte) error {
	if p.k.tooMuch != 0 {
		*b = make([]byte, p.k.tooMuch)
		return nil
	}
	return p.g.Read(n, b)
}

// SetPtySize takes its time.
func (p *keptGateway) SetPtySize(s WinSize, _ *struct{}) error {
	if p.k.sizing != nil {
		<-p.k.sizing
	}
	return p.g.SetPtySize(s, nil)
}
func (p *keptGateway) Write(b []byte, n *int) error       { return p.g.Write(b, n) }
func (p *keptGateway) Ping(_ struct{}, _ *struct{}) error { return nil }

func TestWebPlainHost(t *testing.T) {
	t.Parallel()
	k := &keeper{plain: true}
	w := startWeb(t, k.serve(t))
	x := w.dial(t, "?cols=67&rows=13", "skypty.1")
	x.until("$ ")
	x.typed("stty size\r")
	x.until("13 67")
	x.say(`{"type":"resize","cols":88,"rows":22}`)
	x.typed("stty size\r")
	x.until("22 88")
	x.typed("stty -echo -opost; head -c 2000000 /dev/zero; printf %s the- end\r")
	x.until("the-end")
	if len(x.out) < 2000000 {
		t.Errorf("%d bytes", len(x.out))
	}
	x.typed(strings.Repeat("x", 3000) + "\x15cat >/dev/null\r" + strings.Repeat("y\n", 20000) + "\x04exit\r")
	if code := x.end(); code != websocket.StatusNormalClosure || x.message("exit") == nil ||
		x.message("session") != nil {
		t.Errorf("closed with %d, %v", code, x.text)
	}
	if got := strings.Join(k.asked, " "); got != "skypty/1/exec dmsgpty/pty" {
		t.Errorf("asked for %s", got)
	}
	y := w.dial(t, "sftp", "skypty.sftp")
	if code := y.end(); code != websocket.StatusInternalError {
		t.Errorf("files of a host that serves none: %d", code)
	}
	y = w.dial(t, "", "")
	y.until("$ ")
	if !bytes.HasPrefix(y.out, []byte("[skypty-ui] Status: Dialing...\r[skypty-ui] Status: Opening pty...\r")) {
		t.Errorf("%q", y.out)
	}
}

func TestWebSessions(t *testing.T) {
	t.Parallel()
	w := startWeb(t, (&keeper{}).serve(t))
	x := w.shell(t)
	id, _ := x.message("session")["id"].(string)
	if len(id) != 16 {
		t.Fatalf("%v", x.text)
	}
	x.typed("kept=yes; echo set\r")
	x.until("\rset")
	_ = x.c.CloseNow()
	y := w.dial(t, "?cols=90&rows=20&sid="+id, "skypty.1")
	for y.message("open") == nil && y.next() {
	}
	// The call that the first one left behind may take what comes first.
	for range 50 {
		y.typed("echo [$kept]; stty size\r")
		if y.untilQuiet(); bytes.Contains(y.out, []byte("[yes]\r\n20 90")) {
			break
		}
	}
	y.until("[yes]\r\n20 90")
	if y.message("session") != nil {
		t.Errorf("%v", y.text)
	}
	for _, sid := range []string{"ffffffffffffffff", "../..", strings.Repeat("a", 300), "%22"} {
		z := w.dial(t, "?sid="+sid, "skypty.1")
		z.until("$ ")
		z.typed("echo [$kept]\r")
		z.until("\r[]")
		if got, _ := z.message("session")["id"].(string); len(got) != 16 || got == id {
			t.Errorf("%s: %v", sid, z.text)
		}
	}
}

// What a host says is not the terminal's business.
func TestWebHostErrors(t *testing.T) {
	t.Parallel()
	evil := "no \x1b]0;evil\a shell\r\n" + strings.Repeat("x", 500)
	for _, k := range []*keeper{{startErr: evil}, {readErr: evil}} {
		w := startWeb(t, k.serve(t))
		for _, sub := range []string{"", "skypty.1"} {
			x := w.dial(t, "", sub)
			if k.readErr != "" {
				x.until("$ ")
				x.typed("exit\r")
			}
			if code := x.end(); k.startErr != "" && code != websocket.StatusInternalError {
				t.Errorf("closed with %d", code)
			}
			if all := fmt.Sprint(x.out, x.text); bytes.Contains(x.out, []byte("]0;evil\a")) ||
				strings.Contains(all, "\x1b]") {
				t.Errorf("%q", x.out)
			}
		}
		if strings.Contains(w.logged(), "\x1b") {
			t.Errorf("%q", w.logged())
		}
	}
}

// A reply that is larger than any that was asked for is told, and the end.
func TestWebHostTooMuch(t *testing.T) {
	t.Parallel()
	w := startWeb(t, (&keeper{tooMuch: 400000}).serve(t))
	x := w.dial(t, "", "skypty.1")
	if code := x.end(); code != websocket.StatusInternalError || x.message("error") == nil {
		t.Errorf("closed with %d, %v", code, x.text)
	}
}

// A host that has much to do is not asked for another size meanwhile, and gets
// the last one before what is typed.
func TestWebHostSlowSizes(t *testing.T) {
	t.Parallel()
	k := &keeper{sizing: make(chan struct{})}
	w := startWeb(t, k.serve(t))
	x := w.dial(t, "?cols=80&rows=24", "skypty.1")
	for x.message("open") == nil && x.next() {
	}
	for i := range 200 {
		x.say(fmt.Sprintf(`{"type":"resize","cols":%d,"rows":30}`, 100+i))
		time.Sleep(20 * time.Millisecond)
	}
	x.say(`{"type":"resize","cols":77,"rows":33}`)
	x.typed("stty size\r")
	close(k.sizing)
	x.until("33 77")
}

// A host of nonsense ends its terminals and nothing else.
func TestWebHostGarbage(t *testing.T) {
	t.Parallel()
	for _, garbage := range [][]byte{
		{}, {2}, {0}, bytes.Repeat([]byte{0}, 100000), bytes.Repeat([]byte{0xff}, 100000),
		append([]byte{0}, bytes.Repeat([]byte("garbage "), 1000)...),
		{0, 0x81, 0xff, 0xff, 0xff, 0xff}, append([]byte{1, 1, 1}, make([]byte, 50)...),
	} {
		sock := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", sock)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Write(garbage)
				_ = c.(*net.UnixConn).CloseWrite()
				go func() { _, _ = io.Copy(io.Discard, c); _ = c.Close() }()
			}
		}()
		w := startWeb(t, sock)
		child := w.child(t)
		for _, sub := range []string{"", "skypty.1", "skypty.sftp"} {
			if code := w.dial(t, "", sub).end(); code != websocket.StatusInternalError &&
				sub != "skypty.sftp" {
				t.Errorf("%.20q, %q: closed with %d", garbage, sub, code)
			}
		}
		if w.child(t) != child || strings.Contains(w.logged(), "killed") {
			t.Errorf("%.20q: %s", garbage, w.logged())
		}
		_ = l.Close()
	}
}

// A host that does not answer holds up those who want to connect to it, and
// nobody else.
func TestWebSlowConnect(t *testing.T) {
	t.Parallel()
	// Whose queue is full does not answer a SYN.
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, _ := syscall.Getsockname(fd)
	addr := fmt.Sprintf("127.0.0.1:%d", sa.(*syscall.SockaddrInet4).Port)
	full := false
	for range 8 {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			full = true
			break
		}
		defer c.Close()
	}
	if !full {
		t.Skip("a queue that is never full")
	}
	w := launchWeb(t, "--addr", "127.0.0.1:0", "--hnet", "tcp", "--haddr", addr, "--max-clients", "64")
	w.base, _, _ = strings.Cut(w.link(t, 1), "?")
	w.cookie = w.enter(t)
	var all []*term
	for range 5 {
		x := w.dial(t, "", "skypty.1")
		for x.message("status") == nil && x.next() {
		}
		all = append(all, x)
	}
	if s := w.withCookie(t, w.cookie); s != 200 {
		t.Errorf("the page: %d", s)
	}
	all[0].untilQuiet()
	if m := all[0].message("error"); m != nil {
		t.Errorf("the page came behind the end of the first: %v", m)
	}
	for _, x := range all {
		if code := x.end(); code != websocket.StatusInternalError {
			t.Errorf("closed with %d", code)
		}
	}
	if strings.Contains(w.logged(), "killed") {
		t.Error(w.logged())
	}
}

// A host's control socket behind a port, by address and by name.
func TestWebOverTCP(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				u, err := net.Dial("unix", sock)
				if err != nil {
					return
				}
				go func() {
					_, _ = io.Copy(u, c)
					_ = u.(*net.UnixConn).CloseWrite()
				}()
				_, _ = io.Copy(c, u)
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost"} {
		w := launchWeb(t, "--addr", "127.0.0.1:0", "--hnet", "tcp", "--haddr", net.JoinHostPort(host, port))
		w.base, _, _ = strings.Cut(w.link(t, 1), "?")
		w.cookie = w.enter(t)
		for range 3 {
			x := w.shell(t)
			x.typed("echo over TCP\r")
			x.until("\rover TCP")
			x.typed("exit 5\r")
			if x.end(); x.message("exit")["status"] != 5.0 {
				t.Errorf("%v", x.text)
			}
		}
		if strings.Contains(w.logged(), "killed") {
			t.Error(w.logged())
		}
	}
	w := launchWeb(t, "--addr", "127.0.0.1:0", "--hnet", "tcp", "--haddr", "127.0.0.1:1")
	w.base, _, _ = strings.Cut(w.link(t, 1), "?")
	w.cookie = w.enter(t)
	x := w.dial(t, "", "skypty.1")
	if x.end(); !strings.Contains(fmt.Sprint(x.message("error")["text"]), "refused") {
		t.Errorf("%v", x.text)
	}
}
