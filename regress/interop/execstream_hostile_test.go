// SPDX-License-Identifier: ISC

package interop

// Requests that are ambiguous, cut off, too large, too slow, or followed by
// more; and clients that go.

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What two readers could read differently is refused, and not run.
func TestStreamAmbiguous(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	marker, body := s.marking("ambiguous")
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	strict := !s.isGo // net/http lets these pass, harmless as they are to it
	for name, c := range map[string]struct {
		request string
		strict  bool
	}{
		"two lengths":          {post(body, length(body), "Content-Length: 3"), false},
		"equal lengths":        {post(body, length(body), length(body)), true},
		"list of lengths":      {post(body, length(body)+", "+fmt.Sprint(len(body))), false},
		"length and chunked":   {post(chunked, length(chunked), "Transfer-Encoding: chunked"), true},
		"chunked and length":   {post(chunked, "Transfer-Encoding: chunked", "Content-Length: 3"), true},
		"signed length":        {post(body, fmt.Sprintf("Content-Length: +%d", len(body))), false},
		"negative length":      {post(body, "Content-Length: -1"), false},
		"hex length":           {post(body, fmt.Sprintf("Content-Length: 0x%x", len(body))), false},
		"length of 2^64":       {post(body, "Content-Length: 18446744073709551617"), false},
		"empty length":         {post(body, "Content-Length: "), false},
		"space before colon":   {post(body, strings.Replace(length(body), ":", " :", 1)), false},
		"no colon":             {post(body, length(body), "Nonsense"), false},
		"empty name":           {post(body, length(body), ": x"), false},
		"bare CR":              {post(body, length(body), "X: a\rb"), false},
		"NUL":                  {post(body, length(body), "X: a\x00b"), false},
		"control in a name":    {post(body, length(body), "X\x01: a"), false},
		"folded line":          {post(body, length(body), "X: a", " b"), true},
		"folded first line":    {"POST /exec HTTP/1.1\r\n Host: x\r\n" + length(body) + "\r\n\r\n" + body, false},
		"identity":             {post(body, length(body), "Transfer-Encoding: identity"), false},
		"chunked twice":        {post(chunked, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), false},
		"gzip":                 {post(chunked, "Transfer-Encoding: gzip, chunked"), false},
		"bad chunk size":       {post("zz\r\n"+body, "Transfer-Encoding: chunked"), false},
		"signed chunk size":    {post("+"+chunked, "Transfer-Encoding: chunked"), false},
		"huge chunk size":      {post("fffffffffffffffff\r\n"+body, "Transfer-Encoding: chunked"), false},
		"chunk's end":          {post(strings.Replace(chunked, "}\r\n0", "}xx0", 1), "Transfer-Encoding: chunked"), false},
		"HTTP/1.1 misspelt":    {strings.Replace(post(body, length(body)), "HTTP/1.1", "HTTP/1.x", 1), false},
		"no version":           {strings.Replace(post(body, length(body)), " HTTP/1.1", "", 1), false},
		"no host":              {strings.Replace(post(body, length(body)), "Host: dmsgpty\r\n", "", 1), false},
		"two hosts":            {post(body, length(body), "Host: other"), false},
		"two spaces":           {strings.Replace(post(body, length(body)), "POST /", "POST  /", 1), false},
		"space in the target":  {strings.Replace(post(body, length(body)), "/exec", "/e xec", 1), false},
		"percent in the path":  {strings.Replace(post(body, length(body)), "/exec", "/%zz", 1), false},
		"a line before it all": {"hello\r\n" + post(body, length(body)), false},
		"zeros":                {strings.Repeat("\x00", 2000) + "\r\n\r\n", false},
	} {
		if c.strict && !strict {
			continue
		}
		t.Run(name, func(t *testing.T) {
			r, text := parse(t, s.say(t, c.request))
			other := r.StatusCode == 501 && strings.Contains(c.request, "Transfer-Encoding") ||
				r.StatusCode == 404 && strings.Contains(c.request, "%zz")
			if r.StatusCode != 400 && !other || !r.Close {
				t.Errorf("%s, %.200q", r.Status, text)
			}
			absent(t, marker)
			_ = os.Remove(marker)
		})
	}
	s.works(t)
}

// Odd, but with one meaning.
func TestStreamOdd(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	const body = `{"name":"sh","arg":["-c","exit 9"]}`
	chunks := ""
	for _, b := range []byte(body) {
		chunks += "1;x=y\r\n" + string(b) + "\r\n"
	}
	for name, request := range map[string]string{
		"plain":              post(body, length(body)),
		"chunked":            post(fmt.Sprintf("%X\r\n%s\r\n0\r\n\r\n", len(body), body), "Transfer-Encoding: Chunked"),
		"many chunks":        post(chunks+"000\r\n\r\n", "transfer-encoding: chunked"),
		"trailers":           post(chunks+"0\r\nX-A: b\r\nX-C: d\r\n\r\n", "Transfer-Encoding: chunked", "Trailer: X-A"),
		"case and spaces":    post(body, "content-LENGTH:\t "+fmt.Sprint(len(body))+" \t"),
		"leading zeros":      post(body, "Content-Length: 000"+fmt.Sprint(len(body))),
		"many headers":       post(body, append(strings.Split(strings.Repeat("X-A: b\n", 60), "\n")[:60], length(body))...),
		"keep-alive wished":  post(body, length(body), "Connection: keep-alive"),
		"other host":         strings.Replace(post(body, length(body)), "dmsgpty", "example.org:80", 1),
		"no content type":    post(body, length(body)),
		"other content type": post(body, length(body), "Content-Type: text/html"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, piece := range []int{0, 1} {
				c := s.stream(t, StreamURIs[0])
				c.Piece = piece
				go func() { _, _ = io.WriteString(c, request) }()
				b, _ := io.ReadAll(c)
				r, text := parse(t, string(b))
				if r.StatusCode != 200 || r.Trailer.Get(trailerExit) != "9" || !r.Close {
					t.Errorf("%s, %.200q, %v", r.Status, text, r.Trailer)
				}
			}
		})
	}
	s.works(t)
}

// A head without an end is not kept for ever.
func TestStreamLargeHead(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	marker, body := s.marking("large")
	for name, header := range map[string]string{
		"one line":       "X: " + strings.Repeat("x", 2<<20),
		"one name":       strings.Repeat("x", 2<<20) + ": x",
		"a lot of lines": strings.TrimSuffix(strings.Repeat("X-A: b\r\n", 1<<18), "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			c := s.stream(t, StreamURIs[0])
			go func() { _, _ = io.WriteString(c, post(body, header, length(body))) }()
			// With so much unread the refusal itself may be lost.
			if b, err := io.ReadAll(c); err == nil || len(b) > 0 {
				if !strings.HasPrefix(string(b), "HTTP/1.1 4") {
					t.Errorf("%.200q", b)
				}
			}
			absent(t, marker)
		})
	}
	s.works(t)
}

func TestStreamContinue(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	const body = `{"name":"sh","arg":["-c","exit 9"]}`
	c := s.stream(t, StreamURIs[0])
	_, _ = io.WriteString(c, post("", length(body), "Expect: 100-continue"))
	from := bufio.NewReader(c)
	r, err := http.ReadResponse(from, nil)
	if err != nil || r.StatusCode != 100 {
		t.Fatalf("%+v, %v", r, err)
	}
	_, _ = io.WriteString(c, body)
	r, err = http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFrames(r.Body, io.Discard, io.Discard); err != nil || r.Trailer.Get(trailerExit) != "9" {
		t.Errorf("%v, %v", r.Trailer, err)
	}
}

// A body that ends before its length, or its last chunk, is no request.
func TestStreamShortBody(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	marker, body := s.marking("short")
	for name, request := range map[string]string{
		"a byte short":  post(body, fmt.Sprintf("Content-Length: %d", len(body)+1)),
		"no last chunk": post(fmt.Sprintf("%x\r\n%s\r\n", len(body), body), "Transfer-Encoding: chunked"),
		"no body":       post("", length(body)),
		"half a head":   post(body)[:30],
		"nothing":       "",
	} {
		t.Run(name, func(t *testing.T) {
			c := s.stream(t, StreamURIs[0])
			_, _ = io.WriteString(c, request)
			if tcp, ok := c.Conn.(*net.TCPConn); ok {
				_ = tcp.CloseWrite()
			}
			b, _ := io.ReadAll(c)
			if len(b) > 0 && !strings.HasPrefix(string(b), "HTTP/1.1 400 ") {
				t.Errorf("%.200q", b)
			}
			absent(t, marker)
		})
	}
	s.works(t)
}

// A second request in the same breath is ignored, and ends nothing.
func TestStreamPipelined(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	marker, second := s.marking("second")
	const first = `{"name":"sh","arg":["-c","sleep 0.3; echo first"]}`
	text := s.say(t, post(first, length(first))+post(second, length(second)))
	r, body := parse(t, text)
	if r.StatusCode != 200 || body != string(frame(TagStdout, []byte("first\n"))) || r.Trailer.Get(trailerExit) != "0" {
		t.Errorf("%s, %q, %v", r.Status, body, r.Trailer)
	}
	absent(t, marker)
	s.works(t)
}

// The whole group dies with the connection, silent or not.
func TestStreamDisconnect(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	for name, what := range map[string]string{
		"silent": "wait",
		"loud":   "while :; do echo x; done",
		"closed": "exec >&- 2>&-; wait",
	} {
		for _, accept := range []string{streamType, "*/*"} {
			t.Run(name+" "+accept, func(t *testing.T) {
				pidfile := filepath.Join(t.TempDir(), "pid")
				c := s.stream(t, StreamURIs[0])
				body, _ := json.Marshal(shStream("sleep 60 & echo $! >" + pidfile + ".new; mv " +
					pidfile + ".new " + pidfile + "; " + what))
				req := NewStreamRequest(body)
				req.Header.Set("Accept", accept)
				if r, err := Exchange(c, req); err != nil || r.StatusCode != 200 {
					t.Fatal(r, err)
				}
				pid := waitForFile(t, pidfile)
				_ = c.Close()
				waitForDeath(t, pid)
			})
		}
	}
	s.works(t)
}

// A head has 10 s, however much of it trickles in.
func TestStreamSlowHead(t *testing.T) {
	s := startStreamHost(t)
	t.Parallel()
	start := time.Now()
	c := s.stream(t, StreamURIs[0])
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	go func() {
		for _, b := range []byte(post("")[:30]) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(700 * time.Millisecond)
		}
	}()
	b, err := io.ReadAll(c)
	if took := time.Since(start); took < 8*time.Second || took > time.Minute {
		t.Errorf("closed after %v: %v", took, err)
	}
	if len(b) > 0 && !strings.HasPrefix(string(b), "HTTP/1.1 4") {
		t.Errorf("%.200q", b)
	}
}

func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("SKYPTY_SLOW_TESTS") == "" {
		t.Skip("takes a minute; set SKYPTY_SLOW_TESTS to run it")
	}
	t.Parallel()
}

// A silent command has a keepalive every 45 s; plain output has none.
func TestStreamKeepalive(t *testing.T) {
	t.Parallel()
	slow(t)
	s := startStreamHost(t)
	c := s.stream(t, StreamURIs[0])
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	res, err := RunStream(c, shStream("sleep 50"), io.Discard, io.Discard)
	if err != nil || res.Keepalives != 1 {
		t.Errorf("%+v, %v", res, err)
	}
}

// A body has 30 s.
func TestStreamSlowBody(t *testing.T) {
	t.Parallel()
	slow(t)
	s := startStreamHost(t)
	start := time.Now()
	c := s.stream(t, StreamURIs[0])
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	_, _ = io.WriteString(c, post("{", "Content-Length: 9"))
	b, err := io.ReadAll(c)
	if took := time.Since(start); took < 25*time.Second || took > 40*time.Second {
		t.Errorf("closed after %v: %v", took, err)
	}
	if len(b) > 0 && !strings.HasPrefix(string(b), "HTTP/1.1 4") {
		t.Errorf("%.200q", b)
	}
}
