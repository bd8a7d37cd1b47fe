// SPDX-License-Identifier: ISC

package interop

// The Go side of the exec stream against itself and the known exchanges, so
// that a failure against the C programs says something about those.

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// goStream opens the exec stream of a Go host.
func goStream(t testing.TB, h *Host) *Conn {
	t.Helper()
	return goOpen(t, h, h.Stream)
}

// goOpen opens a service of a Go host.
func goOpen(t testing.TB, h *Host, uri string) *Conn {
	t.Helper()
	dest := goHost(t, h)
	tcp, err := net.Dial("tcp", dest[67:])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })
	_ = tcp.SetDeadline(time.Now().Add(patience))
	c, err := Dial(tcp, NewKey(), h.Key.PK[:], Payloads{PQ: true})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := Open(c, uri); err != nil || answer != 0 {
		t.Fatalf("mux: %d, %v", answer, err)
	}
	return c
}

func TestGoStream(t *testing.T) {
	t.Parallel()
	for _, uri := range StreamURIs {
		for _, piece := range []int{0, 1, 3} {
			c := goStream(t, &Host{Stream: uri, StreamPiece: piece, Keepalive: 50 * time.Millisecond})
			var out, errs bytes.Buffer
			res, err := RunStream(c, StreamRequest{Name: "sh", Env: []string{"A=1"}, Stdin: []byte("in"),
				Arg: []string{"-c", "echo $A; cat; echo err >&2; sleep 0.2; exit 7"}}, &out, &errs)
			if err != nil || res.ExitCode != 7 || out.String() != "1\nin" || errs.String() != "err\n" || res.Keepalives == 0 {
				t.Errorf("%s: %+v %v %q %q", uri, res, err, &out, &errs)
			}
		}
	}
	c := goStream(t, &Host{Stream: StreamURIs[0]})
	res, err := RunStream(c, StreamRequest{Name: "sleep", Arg: []string{"9"}, TimeoutMS: 100}, io.Discard, io.Discard)
	if err != nil || !res.TimedOut || res.ExitCode != -1 {
		t.Errorf("timeout: %+v %v", res, err)
	}
}

// Which of the faults our own client stumbles over.
func TestGoStreamFaults(t *testing.T) {
	t.Parallel()
	harmless := map[string]bool{"largest": true, "empty-frames": true, "100-first": true,
		"both-lengths": true} // the last only to net/http
	for _, fault := range StreamFaults() {
		c := goStream(t, &Host{Stream: StreamURIs[0], StreamFault: fault})
		_, err := RunStream(c, StreamRequest{Name: "true"}, io.Discard, io.Discard)
		if (err == nil) != harmless[fault] {
			t.Errorf("%s: %.200v", fault, err)
		}
	}
}

// exchange is a request and its response, of the vectors.
type exchange struct{ name, request, response string }

func exchanges(t testing.TB) (all []exchange) {
	t.Helper()
	text, err := os.ReadFile("../vectors/pty-http-exec.txt")
	if err != nil {
		t.Fatal(err)
	}
	name := ""
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "# == "); ok {
			name = strings.TrimSpace(n)
			continue
		}
		side, digits, _ := strings.Cut(strings.TrimSpace(line), " ")
		raw, err := hex.DecodeString(digits)
		switch {
		case side == "c>s" && err == nil:
			all = append(all, exchange{name: name, request: string(raw)})
		case side == "s>c" && err == nil:
			all[len(all)-1].response = string(raw)
		}
	}
	if len(all) < 6 {
		t.Fatalf("%d exchanges", len(all))
	}
	return all
}

// Our client makes the known request and reads the known responses.
func TestStreamVectors(t *testing.T) {
	t.Parallel()
	for _, e := range exchanges(t) {
		r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(e.response)), nil)
		if err != nil {
			t.Fatal(e.name, err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(e.name, err)
		}
		if r.StatusCode != http.StatusOK {
			continue
		}
		var res StreamResult
		if err := res.trailers(r.Trailer); err != nil || res.DurationMS != 12 {
			t.Errorf("%s: %+v, %v", e.name, res, err)
		}
		if r.Header.Get("Content-Type") == streamType {
			if _, err := ReadFrames(bytes.NewReader(body), io.Discard, io.Discard); err != nil {
				t.Errorf("%s: %v", e.name, err)
			}
		}
		_, asked, _ := strings.Cut(e.request, "\r\n\r\n")
		var wire bytes.Buffer
		hr := NewStreamRequest([]byte(asked))
		if !strings.Contains(e.request, "Accept:") {
			hr.Header.Del("Accept")
		}
		_ = hr.Write(&wire)
		if wire.String() != e.request {
			t.Errorf("%s: sent %q, want %q", e.name, &wire, e.request)
		}
	}
}
