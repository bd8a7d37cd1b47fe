// SPDX-License-Identifier: ISC

package interop

// A skyptyd http to test against, and the original's frames on it.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// web is a running skyptyd http.
type web struct {
	cmd    *exec.Cmd
	base   string // "http://127.0.0.1:port/"
	cookie string // name=value
	from   string // our address, or "" for any
	mu     sync.Mutex
	out    []string // lines of standard output: links
	log    bytes.Buffer
	ended  chan struct{}
}

// A shell that looks the same everywhere and remembers nothing.
var webShell = []string{"--cmd", "/usr/bin/env", "--arg", "PS1=$ ", "--arg", "HISTFILE=/dev/null",
	"--arg", "/bin/bash", "--arg", "--norc", "--arg", "--noprofile"}

func startWeb(t testing.TB, sock string, args ...string) *web {
	t.Helper()
	w := launchWeb(t, append([]string{"--addr", "127.0.0.1:0", "--haddr", sock}, args...)...)
	w.base, _, _ = strings.Cut(w.link(t, 1), "?")
	if !strings.HasPrefix(w.base, "https:") {
		w.cookie = w.enter(t)
	}
	return w
}

func launchWeb(t testing.TB, args ...string) *web {
	t.Helper()
	path := program(t, "SKYPTYD", "skyptyd")
	if _, err := os.Stat(filepath.Join(filepath.Dir(path), "skyptyd-http")); err != nil {
		t.Skip("skyptyd-http was not built")
	}
	w := &web{ended: make(chan struct{})}
	w.cmd = exec.Command(path, append(append([]string{"http"}, webShell...), args...)...)
	stdout, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	w.cmd.Stderr = (*webLog)(w)
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			w.mu.Lock()
			w.out = append(w.out, lines.Text())
			w.mu.Unlock()
		}
		_ = w.cmd.Wait()
		close(w.ended)
	}()
	t.Cleanup(func() {
		_ = w.cmd.Process.Signal(syscall.SIGTERM)
		<-w.ended
		if t.Failed() {
			t.Log(w.logged())
		}
	})
	return w
}

type webLog web

func (l *webLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(p)
}

func (w *web) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// link gives the nth that was printed.
func (w *web) link(t testing.TB, n int) (link string) {
	t.Helper()
	eventually(t, "a link", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.out) >= n {
			link = w.out[n-1]
		}
		return link != ""
	})
	return link
}

// lastLink is the one that is good.
func (w *web) lastLink() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out[len(w.out)-1]
}

func (w *web) enter(t testing.TB) string {
	t.Helper()
	resp := get(t, w.lastLink(), nil)
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("the link: %s", resp.Status)
	}
	c := resp.Cookies()[0]
	return c.Name + "=" + c.Value
}

// get asks, and follows nothing.
func get(t testing.TB, url string, header http.Header) *http.Response {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp
}

func (w *web) addr() string {
	return strings.TrimSuffix(strings.TrimPrefix(w.base, "http://"), "/")
}

// child is the confined process.
func (w *web) child(t testing.TB) (pid int) {
	t.Helper()
	eventually(t, "the confined process", func() bool {
		list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", w.cmd.Process.Pid,
			w.cmd.Process.Pid))
		n, _ := fmt.Sscan(string(list), &pid)
		return err == nil && n == 1
	})
	return pid
}

// ticks is its processor time, in hundredths of a second.
func (w *web) ticks(t testing.TB) int {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.child(t)))
	if err != nil {
		t.Fatal(err)
	}
	var user, system int
	_, _ = fmt.Sscan(strings.Join(strings.Fields(string(stat))[13:15], " "), &user, &system)
	return user + system
}

// rss is its memory, in kB.
func (w *web) rss(t testing.TB) (kb int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.child(t)))
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(status), "VmRSS:")
	_, _ = fmt.Sscan(line, &kb)
	return kb
}

// term is a terminal in it.
type term struct {
	t    testing.TB
	c    *websocket.Conn
	ctx  context.Context
	out  []byte
	text []map[string]any
	acks bool
	seen uint64
	err  error
	in   chan webFrame
}

// A terminal's prompt may come in several messages; what waits for pings has to
// take them all.
const webAhead = 4

type webFrame struct {
	kind websocket.MessageType
	p    []byte
	err  error
}

func (w *web) dial(t testing.TB, query string, sub ...string) *term {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	o := &websocket.DialOptions{Subprotocols: sub,
		HTTPHeader: http.Header{"Cookie": {w.cookie}, "Origin": {strings.TrimSuffix(w.base, "/")}}}
	if w.from != "" {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(w.from)}}
		o.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: d.DialContext}}
	}
	c, resp, err := websocket.Dial(ctx, strings.Replace(w.base, "http", "ws", 1)+query, o)
	if err != nil {
		t.Fatalf("%v, %+v", err, resp)
	}
	c.SetReadLimit(-1)
	t.Cleanup(func() { _ = c.CloseNow() })
	x := &term{t: t, c: c, ctx: ctx, acks: len(sub) > 0 && sub[0] == "skypty.1",
		in: make(chan webFrame, webAhead)}
	go x.receive()
	return x
}

// shell is a terminal of ours that is ready.
func (w *web) shell(t testing.TB) *term {
	t.Helper()
	x := w.dial(t, "", "skypty.1")
	x.until("$ ")
	return x
}

// receive reads ahead by one message, so that a test may wait for none.
func (x *term) receive() {
	for {
		var m webFrame
		m.kind, m.p, m.err = x.c.Read(x.ctx)
		select {
		case x.in <- m:
		case <-x.ctx.Done():
			return
		}
		if m.err != nil {
			close(x.in)
			return
		}
	}
}

// next takes one message; false at the end.
func (x *term) next() bool {
	select {
	case m, ok := <-x.in:
		return ok && x.take(m)
	case <-x.ctx.Done():
		x.err = x.ctx.Err()
		return false
	}
}

// untilSeen takes what comes until that many bytes have been output in all.
func (x *term) untilSeen(n uint64) {
	x.t.Helper()
	late := time.After(patience)
	for x.seen < n {
		select {
		case m := <-x.in:
			if !x.take(m) {
				x.t.Fatal(x.err)
			}
		case <-late:
			x.t.Fatalf("%d bytes, and not %d", x.seen, n)
		}
	}
}

// untilQuiet takes what comes until nothing does.
func (x *term) untilQuiet() {
	x.t.Helper()
	for {
		select {
		case m := <-x.in:
			if !x.take(m) {
				x.t.Fatal(x.err)
			}
		case <-time.After(700 * time.Millisecond):
			return
		}
	}
}

func (x *term) take(in webFrame) bool {
	if in.err != nil {
		x.err = in.err
		return false
	}
	var m map[string]any
	if in.kind == websocket.MessageText {
		if json.Unmarshal(in.p, &m) == nil {
			x.text = append(x.text, m)
		}
		return true
	}
	x.out = append(x.out, in.p...)
	x.seen += uint64(len(in.p))
	if x.acks {
		x.say(fmt.Sprintf(`{"type":"ack","bytes":%d}`, x.seen))
	}
	return true
}

func tail(b []byte) []byte {
	return b[max(0, len(b)-1000):]
}

func (x *term) until(text string) {
	x.t.Helper()
	for !bytes.Contains(x.out, []byte(text)) {
		if !x.next() {
			x.t.Fatalf("%v; no %q in %q", x.err, text, tail(x.out))
		}
	}
}

func (x *term) match(pattern string) []string {
	x.t.Helper()
	for re := regexp.MustCompile(pattern); ; {
		if m := re.FindSubmatch(x.out); m != nil {
			all := []string{}
			for _, one := range m {
				all = append(all, string(one))
			}
			return all
		}
		if !x.next() {
			x.t.Fatalf("%v; no %q in %q", x.err, pattern, tail(x.out))
		}
	}
}

// end takes all that is left, and gives how it was closed.
func (x *term) end() websocket.StatusCode {
	for x.next() {
	}
	return websocket.CloseStatus(x.err)
}

func (x *term) message(kind string) map[string]any {
	for _, m := range x.text {
		if m["type"] == kind {
			return m
		}
	}
	return nil
}

func (x *term) say(text string) {
	_ = x.c.Write(x.ctx, websocket.MessageText, []byte(text))
}

func (x *term) typed(text string) {
	x.t.Helper()
	if err := x.c.Write(x.ctx, websocket.MessageBinary, []byte(text)); err != nil {
		x.t.Fatal(err)
	}
}

func webDaemon(t testing.TB) (*daemon, string) {
	t.Helper()
	d := startDaemon(t)
	return d, filepath.Join(d.dir, "s")
}

func TestWebOriginalFrames(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock, "--title", "the\x1bhost", "--commands", "hi=echo hello", "--commands",
		"there=echo there")
	x := w.dial(t, "")
	x.until("$ ")
	for _, text := range []string{"[skypty-ui] Status: Dialing...\r[skypty-ui] Status: Opening pty...\r",
		"PTY-HOST: the?host\n\r"} {
		if !bytes.Contains(x.out, []byte(text)) {
			t.Errorf("no %q in %q", text, x.out)
		}
	}
	x.say(`{"type":"resize","cols":77,"rows":33}`)
	x.typed("stty size\r")
	x.until("33 77")
	x.say("echo typed as text\r")
	x.until("\rtyped as text\r\n")
	x.typed("printf '\\377\\000\\200.'; exit 3\r")
	if code := x.end(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d", code)
	}
	for _, text := range []string{"\xff\x00\x80.", "session closed - reload the page to reconnect"} {
		if !bytes.Contains(x.out, []byte(text)) {
			t.Errorf("no %q in %q", text, x.out)
		}
	}
	if len(x.text) != 0 {
		t.Errorf("text frames: %v", x.text)
	}

	x = w.dial(t, "?commands=hi,there")
	x.until("\rhello\r\nthere\r\n")
	for _, query := range []string{"?commands=other", "?commands=hi,other", "?commands=h", "?commands=hi%3Bid", "?commands=hi%0Aid"} {
		_, resp, err := websocket.Dial(x.ctx, strings.Replace(w.base, "http", "ws", 1)+query,
			&websocket.DialOptions{HTTPHeader: http.Header{"Cookie": {w.cookie}}})
		if err == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func TestWebMessages(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	x := w.dial(t, "?cols=71&rows=21", "skypty.1")
	x.typed("stty size; exit 7\r")
	if code := x.end(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d", code)
	}
	if !bytes.Contains(x.out, []byte("21 71")) || x.message("open") == nil ||
		x.message("status") == nil || x.message("exit")["status"] != 7.0 {
		t.Errorf("%q, %v", x.out, x.text)
	}
	x = w.shell(t)
	x.typed("kill -9 $$\r")
	x.end()
	if x.message("exit")["signal"] != "KILL" {
		t.Errorf("%v", x.text)
	}
	if c := w.dial(t, "", "unheard.of", "skypty.1"); c.c.Subprotocol() != "skypty.1" {
		t.Errorf("subprotocol %q", c.c.Subprotocol())
	}
}

// What is not acknowledged holds the host back, whatever a browser says of it.
func TestWebAcks(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	x := w.shell(t)
	x.acks = false
	x.typed("stty -opost -echo; head -c 3000000 /dev/zero; echo the-end\r")
	const limit = 384 << 10
	x.untilSeen(limit - 32<<10)
	x.untilQuiet()
	if x.seen > limit+32<<10 {
		t.Errorf("%d bytes without a word", x.seen)
	}
	before, ticks := x.seen, w.ticks(t)
	for _, lie := range []string{"1e15", "-1", "1e300", "NaN", `"400000"`, "9007199254740993", "null", "[]", "1.5"} {
		x.say(`{"type":"ack","bytes":` + lie + `}`)
	}
	x.untilQuiet()
	if x.seen != before {
		t.Errorf("lies were believed for %d bytes", x.seen-before)
	}
	if used := w.ticks(t) - ticks; used > 30 {
		t.Errorf("waiting took %d ticks", used)
	}
	x.say(fmt.Sprintf(`{"type":"ack","bytes":%d}`, x.seen))
	x.say(`{"type":"ack","bytes":0}`)
	x.untilSeen(before + limit - 32<<10)
	x.untilQuiet()
	if more := x.seen - before; more > limit+32<<10 {
		t.Errorf("%d bytes more after the truth", more)
	}
	x.acks = true
	x.say(fmt.Sprintf(`{"type":"ack","bytes":%d}`, x.seen))
	x.until("the-end")
}

func TestWebHostGone(t *testing.T) {
	t.Parallel()
	d, sock := webDaemon(t)
	w := startWeb(t, sock)
	x := w.shell(t)
	ended := make(chan struct{})
	go func() {
		for {
			_ = syscall.Kill(d.pid, syscall.SIGTERM)
			select {
			case <-ended:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	code := x.end()
	close(ended)
	if code != websocket.StatusInternalError || x.message("error") == nil {
		t.Errorf("closed with %d, %v", code, x.text)
	}
	x = w.dial(t, "", "skypty.1")
	if code := x.end(); code != websocket.StatusInternalError ||
		!strings.Contains(fmt.Sprint(x.message("error")["text"]), sock) {
		t.Errorf("closed with %d, %v", code, x.text)
	}
}
