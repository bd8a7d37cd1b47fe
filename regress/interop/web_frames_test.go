// SPDX-License-Identifier: ISC

package interop

// Frames and requests that no good browser sends.

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// rawWeb is a WebSocket without a library's good manners.
type rawWeb struct {
	t testing.TB
	c net.Conn
	r *bufio.Reader
}

// Opcodes.
const (
	opMore  = 0
	opText  = 1
	opBytes = 2
	opClose = 8
	opPing  = 9
	opPong  = 10
	opFinal = 0x80
)

func (w *web) plain(t testing.TB) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", w.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(60 * time.Second))
	return c
}

func (w *web) upgrade(more string) string {
	return "GET / HTTP/1.1\r\nHost: " + w.addr() + "\r\nCookie: " + w.cookie +
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + more + "\r\n"
}

func (w *web) raw(t testing.TB) *rawWeb {
	t.Helper()
	x := &rawWeb{t: t, c: w.plain(t)}
	x.r = bufio.NewReader(x.c)
	_, _ = io.WriteString(x.c, w.upgrade("Sec-WebSocket-Protocol: skypty.1\r\n"))
	resp, err := http.ReadResponse(x.r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", resp, err)
	}
	return x
}

// frame is masked as a browser's.
func (x *rawWeb) frame(first byte, p []byte) []byte {
	b := []byte{first}
	switch n := len(p); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := []byte{1, 2, 3, 4}
	b = append(b, mask...)
	for i, c := range p {
		b = append(b, c^mask[i%4])
	}
	return b
}

func (x *rawWeb) send(first byte, p []byte) { _, _ = x.c.Write(x.frame(first, p)) }

// read gives one frame of the server.
func (x *rawWeb) read() (op byte, p []byte, err error) {
	var h [2]byte
	if _, err := io.ReadFull(x.r, h[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(h[1])
	switch n {
	case 126:
		var l [2]byte
		_, _ = io.ReadFull(x.r, l[:])
		n = uint64(binary.BigEndian.Uint16(l[:]))
	case 127:
		var l [8]byte
		_, _ = io.ReadFull(x.r, l[:])
		n = binary.BigEndian.Uint64(l[:])
	}
	p = make([]byte, n)
	_, err = io.ReadFull(x.r, p)
	return h[0] & 15, p, err
}

func (x *rawWeb) until(text string) {
	x.t.Helper()
	var got []byte
	for !bytes.Contains(got, []byte(text)) {
		op, p, err := x.read()
		if err != nil {
			x.t.Fatalf("%v; no %q in %q", err, text, got)
		}
		if op == opBytes {
			got = append(got, p...)
		}
	}
}

// ends reads to the end; 0 if no code was given.
func (x *rawWeb) ends() (code uint16) {
	x.t.Helper()
	for {
		op, p, err := x.read()
		if err != nil {
			if e, ok := err.(net.Error); ok && e.Timeout() {
				x.t.Error("the connection goes on")
			}
			return code
		}
		if op == opClose && len(p) >= 2 {
			code = binary.BigEndian.Uint16(p)
		}
	}
}

func TestWebBadFrames(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock, "--max-clients", "64")
	good := w.shell(t)
	long := make([]byte, 70000)
	header := func(first byte, n uint64) []byte {
		return append(binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, n), 1, 2, 3, 4)
	}
	x := &rawWeb{}
	for name, c := range map[string]struct {
		bytes []byte
		code  uint16 // 0: any, or none
	}{
		"not masked":              {[]byte{opFinal | opBytes, 1, 'x'}, 0},
		"reserved bits":           {x.frame(0xf0|opBytes, []byte("x")), 0},
		"reserved opcode":         {x.frame(opFinal|3, []byte("x")), 0},
		"reserved control":        {x.frame(opFinal|11, []byte("x")), 0},
		"long ping":               {x.frame(opFinal|opPing, long[:126]), 0},
		"fragmented ping":         {x.frame(opPing, []byte("x")), 0},
		"continuation of nothing": {x.frame(opFinal|opMore, []byte("x")), 0},
		"too long":                {x.frame(opFinal|opBytes, long), 1009},
		"too long, in pieces":     {append(x.frame(opBytes, long[:40000]), x.frame(opFinal|opMore, long[:40000])...), 1009},
		"2^62 bytes":              {header(opFinal|opBytes, 1<<62), 0},
		"2^63 bytes":              {header(opFinal|opBytes, 1<<63), 0},
		"2^32 bytes":              {header(opFinal|opBytes, 1<<32), 0},
		"HTTP in it":              {[]byte("GET / HTTP/1.1\r\n\r\n"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			x := w.raw(t)
			x.until("$ ")
			_, _ = x.c.Write(c.bytes)
			// What is declared and does not come is waited for; not for ever.
			_ = x.c.(*net.TCPConn).CloseWrite()
			if code := x.ends(); c.code != 0 && code != c.code {
				t.Errorf("closed with %d", code)
			}
		})
	}
	good.typed("echo alive and well\r")
	good.until("\ralive and well")
}

func TestWebOddFrames(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	x := w.raw(t)
	x.until("$ ")
	first := byte(opBytes)
	for i, c := range []byte("echo " + strings.Repeat("x", 990) + ".y\r") {
		if i == 997 {
			x.send(opFinal|opPing, []byte("in between"))
		}
		if c == '\r' {
			first |= opFinal
		}
		x.send(first, []byte{c})
		first = opMore
	}
	x.until("\r" + strings.Repeat("x", 990) + ".y\r\n")
	x.send(opText, []byte(`{"type":"resize",`))
	x.send(opMore, nil)
	x.send(opFinal|opMore, []byte(`"cols":91,"rows":19}`))
	x.send(opFinal|opBytes, []byte("stty size\r"))
	x.until("19 91")
	for _, text := range []string{
		`{"type":"resize","cols":0,"rows":9}`, `{"type":"resize","cols":70000,"rows":9}`,
		`{"type":"resize","cols":-1,"rows":9}`, `{"type":"resize","cols":1.5,"rows":9}`,
		`{"type":"resize","cols":"80","rows":9}`, `{"type":"resize"}`,
		`{"type":"resize","cols":{"cols":50},"rows":[9]}`,
	} {
		x.send(opFinal|opText, []byte(text))
	}
	x.send(opFinal|opBytes, []byte("clear; stty size\r"))
	x.until("19 91")
	// Neither JSON nor of a known type: typed.
	for _, text := range []string{"echo {", `echo '{"type":"other"}'`,
		strings.Repeat("[", 3000), strings.Repeat(`{"type":`, 400)} {
		x.send(opFinal|opText, []byte(text+"\x15"))
	}
	x.send(opFinal|opText, []byte("echo $((6*7)).\r"))
	x.until("\r42.")
}

// What makes no sense is refused with the right code, and the connection ended
// by us: the other side does nothing.
func TestWebCodes(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock, "--max-clients", "64")
	x := &rawWeb{}
	bad := []byte("\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80edited")
	closing := func(code uint16, text string) []byte {
		return x.frame(opFinal|opClose, append(binary.BigEndian.AppendUint16(nil, code), text...))
	}
	for name, c := range map[string]struct {
		bytes []byte
		code  uint16 // 0: none is given
	}{
		"reserved bit 1":        {x.frame(opFinal|0x40|opText, []byte("x")), 1002},
		"reserved bit 2":        {x.frame(opFinal|0x20|opBytes, []byte("x")), 1002},
		"reserved bits, ping":   {x.frame(opFinal|0x30|opPing, []byte("x")), 1002},
		"opcode 3":              {x.frame(opFinal|3, nil), 1002},
		"opcode 11":             {x.frame(opFinal|11, nil), 1002},
		"fragmented ping":       {x.frame(opPing, nil), 1002},
		"nothing to go on with": {x.frame(opFinal|opMore, []byte("x")), 1002},
		"no end of a message":   {append(x.frame(opText, []byte("x")), x.frame(opFinal|opText, []byte("y"))...), 1002},
		"text":                  {x.frame(opFinal|opText, bad), 1007},
		"cut text":              {x.frame(opFinal|opText, []byte("\xce\xba\xe1")), 1007},
		"text in pieces": {append(x.frame(opText, bad[:7]), append(x.frame(opMore, bad[7:9]),
			x.frame(opFinal|opMore, bad[9:])...)...), 1007},
		"text that fails early": {append(x.frame(opText, []byte("\xf4")), x.frame(opMore, []byte("\x90"))...), 1007},
		"a close":               {closing(1000, "fine"), 1000},
		"a close of nobody's":   {closing(999, ""), 1002},
		"a reason":              {closing(1000, string(bad)), 0},
	} {
		t.Run(name, func(t *testing.T) {
			x := w.raw(t)
			x.until("$ ")
			_, _ = x.c.Write(c.bytes)
			if code := x.ends(); code != c.code {
				t.Errorf("closed with %d", code)
			}
		})
	}
	// What is cut in a character is none the less text.
	y := w.raw(t)
	y.until("$ ")
	y.send(opText, []byte("echo gr\xc3"))
	y.send(opMore, []byte("\xbcn \xe6"))
	y.send(opFinal|opMore, []byte("\xbc\xa2.\r"))
	y.until("\rgrün 漢.\r\n")
	// Bytes are bytes.
	y.send(opFinal|opBytes, []byte("echo '\xff\xfe' | od -An -tx1\r"))
	y.until(" ff fe 0a")
}

// More new ones in a second than are let through are told so.
func TestWebManyAtOnce(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock, "--max-clients", "200")
	codes := map[uint16]int{}
	var all []*rawWeb
	for range 80 {
		x := &rawWeb{t: t, c: w.plain(t)}
		x.r = bufio.NewReader(x.c)
		_, _ = io.WriteString(x.c, w.upgrade("Sec-WebSocket-Protocol: skypty.1\r\n"))
		all = append(all, x)
	}
	for _, x := range all {
		if resp, err := http.ReadResponse(x.r, nil); err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("%v, %v", resp, err)
		}
		for {
			op, p, err := x.read()
			if err != nil || op == opClose {
				if op == opClose && len(p) >= 2 {
					codes[binary.BigEndian.Uint16(p)]++
				} else {
					codes[0]++
				}
				break
			}
			if bytes.Contains(p, []byte(`"open"`)) {
				codes[1]++
				break
			}
		}
	}
	if codes[1] == 0 || codes[1013] == 0 || codes[1]+codes[1013] != len(all) {
		t.Errorf("%v", codes)
	}
}

// The order of what stands in the address is nobody's business.
func TestWebQuery(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	for _, query := range []string{"?cols=91&rows=19", "?sid=" + strings.Repeat("0", 32) + "&cols=91&rows=19",
		"?x=" + strings.Repeat("y", 700) + "&rows=19&cols=91"} {
		x := w.dial(t, query, "skypty.1")
		x.until("$ ")
		x.typed("stty size; echo $LC_CTYPE; locale charmap\r")
		x.until("19 91\r\nC.UTF-8\r\nUTF-8\r\n")
	}
}

// A megabyte of sizes is one for the host, and costs nothing.
func TestWebManySizes(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	x := w.shell(t)
	before := w.rss(t)
	x.typed("n=0; trap 'n=$((n+1))' WINCH\r")
	x.until("WINCH\r\n")
	for i := range 25000 {
		x.say(fmt.Sprintf(`{"type":"resize","cols":%d,"rows":%d}`, 40+i%100, 10+i%50))
	}
	x.say(`{"type":"resize","cols":101,"rows":37}`)
	eventually(t, "the last size", func() bool {
		x.typed("stty size\r")
		x.untilQuiet()
		return bytes.Contains(x.out, []byte("37 101"))
	})
	if grown := w.rss(t) - before; grown > 1024 {
		t.Errorf("memory grew by %d kB", grown)
	}
}

func TestWebBadRequests(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	_, port, _ := net.SplitHostPort(w.addr())
	cookie := "Cookie: " + w.cookie + "\r\n"
	host := "Host: " + w.addr() + "\r\n"
	for name, c := range map[string]struct {
		request string
		want    string // beginnings of the status, with |; "-": nothing at all
	}{
		"fine":                    {"GET / HTTP/1.1\r\n" + host + cookie + "\r\n", "200"},
		"localhost":               {"GET / HTTP/1.1\r\nHost: localhost:" + port + "\r\n" + cookie + "\r\n", "200"},
		"no host":                 {"GET / HTTP/1.1\r\n" + cookie + "\r\n", "4"},
		"empty host":              {"GET / HTTP/1.1\r\nHost:\r\n" + cookie + "\r\n", "4"},
		"host without port":       {"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + cookie + "\r\n", "403"},
		"host of another port":    {"GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n" + cookie + "\r\n", "403"},
		"host with more":          {"GET / HTTP/1.1\r\nHost: " + w.addr() + ".evil.test\r\n" + cookie + "\r\n", "403"},
		"host with a user":        {"GET / HTTP/1.1\r\nHost: x@" + w.addr() + "\r\n" + cookie + "\r\n", "403"},
		"host of a name":          {"GET / HTTP/1.1\r\nHost: evil.test:" + port + "\r\n" + cookie + "\r\n", "403"},
		"two hosts":               {"GET / HTTP/1.1\r\nHost: evil.test\r\n" + host + cookie + "\r\n", "4"},
		"two hosts, ours first":   {"GET / HTTP/1.1\r\n" + host + "Host: evil.test\r\n" + cookie + "\r\n", "4"},
		"up and away":             {"GET /../../etc/passwd HTTP/1.1\r\n" + host + cookie + "\r\n", "4|-"},
		"escaped up and away":     {"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + host + cookie + "\r\n", "4|-"},
		"another scheme":          {"GET file:///etc/passwd HTTP/1.1\r\n" + host + cookie + "\r\n", "4|-"},
		"a long path":             {"GET /" + strings.Repeat("a", 6000) + " HTTP/1.1\r\n" + host + cookie + "\r\n", "4|-"},
		"a long head":             {"GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("a", 100000) + "\r\n\r\n", "4|-"},
		"POST":                    {"POST / HTTP/1.1\r\n" + host + "\r\n", "405"},
		"PUT":                     {"PUT / HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\nx", "405"},
		"OPTIONS":                 {"OPTIONS / HTTP/1.1\r\n" + host + "\r\n", "405"},
		"HEAD":                    {"HEAD / HTTP/1.1\r\n" + host + "\r\n", "405"},
		"an unknown method":       {"BREW / HTTP/1.1\r\n" + host + "\r\n", "4|-"},
		"GET with a body":         {"GET / HTTP/1.1\r\n" + host + cookie + "Content-Length: 5\r\n\r\nhello", "400"},
		"GET in chunks":           {"GET / HTTP/1.1\r\n" + host + cookie + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		"no HTTP":                 {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "4|-"},
		"TLS":                     {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "4|-"},
		"nothing":                 {"", "-"},
		"not our cookie":          {"GET / HTTP/1.1\r\n" + host + "Cookie: " + strings.ToUpper(w.cookie) + "\r\n\r\n", "401"},
		"half a cookie":           {"GET / HTTP/1.1\r\n" + host + "Cookie: " + w.cookie[:40] + "\r\n\r\n", "401"},
		"a longer cookie":         {"GET / HTTP/1.1\r\n" + host + "Cookie: " + w.cookie + "00\r\n\r\n", "401"},
		"among other cookies":     {"GET / HTTP/1.1\r\n" + host + "Cookie: a=b; " + w.cookie + "; c=d\r\n\r\n", "200"},
		"a WebSocket":             {w.upgrade(""), "101"},
		"of our origin":           {w.upgrade("Origin: http://" + w.addr() + "\r\n"), "101"},
		"of no origin":            {w.upgrade("Origin: null\r\n"), "403"},
		"of another scheme":       {w.upgrade("Origin: https://" + w.addr() + "\r\n"), "403"},
		"of another port":         {w.upgrade("Origin: http://127.0.0.1:1\r\n"), "403"},
		"of a longer name":        {w.upgrade("Origin: http://" + w.addr() + ".evil.test\r\n"), "403"},
		"of a name with ours":     {w.upgrade("Origin: http://evil.test/http://" + w.addr() + "\r\n"), "403"},
		"of an empty origin":      {w.upgrade("Origin: \r\n"), "403|101"}, // lws drops empty fields
		"without a cookie":        {strings.Replace(w.upgrade(""), w.cookie, "a=b", 1), "401"},
		"an old version":          {strings.Replace(w.upgrade(""), "Version: 13", "Version: 8", 1), "4|-"},
		"a WebSocket elsewhere":   {strings.Replace(w.upgrade(""), "Host: 127.0.0.1", "Host: evil.test", 1), "403"},
		"unknown command":         {strings.Replace(w.upgrade(""), "GET /", "GET /?commands=x", 1), "403"},
		"an upgrade to HTTP/2":    {"GET / HTTP/1.1\r\n" + host + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", "4|-"},
		"an upgrade by POST":      {strings.Replace(w.upgrade(""), "GET", "POST", 1), "4|-"},
		"two lengths":             {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "4|-"},
		"a host in the request":   {"GET http://evil.test/ HTTP/1.1\r\n" + host + cookie + "\r\n", "4|-"},
		"a line that is folded":   {"GET / HTTP/1.1\r\nHost: evil.test\r\n " + w.addr() + "\r\n" + cookie + "\r\n", "4|-"},
		"HTTP/1.0 without a host": {"GET / HTTP/1.0\r\n" + cookie + "\r\n", "4|-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := w.plain(t)
			_, _ = io.WriteString(conn, c.request)
			if c.want == "-" || !strings.HasPrefix(c.want, "2") && !strings.HasPrefix(c.want, "1") {
				_ = conn.(*net.TCPConn).CloseWrite()
			}
			got, err := bufio.NewReader(conn).ReadString('\n')
			status := "-"
			if fields := strings.Fields(got); len(fields) > 1 {
				status = fields[1]
			}
			for _, want := range strings.Split(c.want, "|") {
				if strings.HasPrefix(status, want) {
					return
				}
			}
			t.Errorf("%q, %v; want %s", got, err, c.want)
		})
	}
}

// What follows a request that is refused is no request.
func TestWebSmuggling(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	second := "GET /config.json HTTP/1.1\r\nHost: " + w.addr() + "\r\nCookie: " + w.cookie + "\r\n\r\n"
	for _, head := range []string{
		"POST / HTTP/1.1\r\nHost: " + w.addr() + "\r\nContent-Length: 5\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: " + w.addr() + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: " + w.addr() + "\r\nContent-Length: 0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: " + w.addr() + "\r\nContent-Length: 5\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: " + w.addr() + "\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		c := w.plain(t)
		_, _ = io.WriteString(c, head+second)
		all, _ := io.ReadAll(c)
		if n := bytes.Count(all, []byte("HTTP/1.1 ")); n != 1 || bytes.Contains(all, []byte(`"title"`)) {
			t.Errorf("%q: %d answers: %q", head, n, all)
		}
	}
}

func TestWebMethodText(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	resp, err := http.Post(w.base+`a"b`, "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	want := `{"error_code":405,"error_msg":"http method POST is invalid for path /a\"b"}`
	if resp.StatusCode != 405 || string(body) != want {
		t.Errorf("%s, %q", resp.Status, body)
	}
}

// Many that say nothing leave the others alone, and time runs out for them.
func TestWebSilence(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	x := w.shell(t)
	var idle []net.Conn
	for range 100 {
		c := w.plain(t)
		_, _ = io.WriteString(c, "GET / HT")
		idle = append(idle, c)
	}
	begun := time.Now()
	x.typed("echo not alone\r")
	x.until("\rnot alone")
	w.shell(t)
	for _, c := range idle {
		if _, err := io.ReadAll(c); err != nil {
			if e, ok := err.(net.Error); ok && e.Timeout() {
				t.Fatal("half a request is waited for without end")
			}
		}
	}
	if took := time.Since(begun); took < 5*time.Second || took > time.Minute {
		t.Errorf("they were dropped after %v", took)
	}
}

// Pings come, and who does not answer is dropped with its shell.
func TestWebPings(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	x := w.raw(t)
	x.until("$ ")
	begun := time.Now()
	pings := 0
	for {
		op, _, err := x.read()
		if err != nil {
			break
		}
		if op == opPing {
			pings++
		}
	}
	if took := time.Since(begun); pings == 0 || took < 12*time.Second || took > time.Minute {
		t.Errorf("%d pings, and the end after %v", pings, took)
	}
	y := w.shell(t)
	deadline := time.Now().Add(2 * time.Second)
	for time.Now().Before(deadline) {
		y.untilQuiet()
	}
	y.typed("exit\r")
	if code := y.end(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %d", code)
	}
}
