// SPDX-License-Identifier: ISC

package interop

// The exec stream of skyptyd, asked by net/http.

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// streamHost is skyptyd; with SKYPTY_GO_HOST set it is our own Go host, which
// tests the tests.
type streamHost struct {
	*daemon
	dir  string
	isGo bool
}

func startStreamHost(t testing.TB) *streamHost {
	t.Helper()
	if os.Getenv("SKYPTY_GO_HOST") != "" {
		return &streamHost{dir: t.TempDir(), isGo: true}
	}
	d := startDaemon(t)
	return &streamHost{daemon: d, dir: d.dir}
}

// stream gives a connection with the service accepted.
func (s *streamHost) stream(t testing.TB, uri string) *Conn {
	t.Helper()
	if s.isGo {
		return goStream(t, &Host{Stream: uri})
	}
	c := s.dial(t, s.client, Payloads{})
	if answer, err := Open(c, uri); err != nil || answer != 0 {
		t.Fatalf("mux: %s: %d, %v", uri, answer, err)
	}
	return c
}

func (s *streamHost) works(t testing.TB) {
	t.Helper()
	if !s.isGo {
		s.serves(t)
	}
}

type streamOutput struct {
	StreamResult
	out, err string
}

// run runs a command to its end and expects the stream to be whole.
func (s *streamHost) run(t testing.TB, req StreamRequest) streamOutput {
	t.Helper()
	var out, errs bytes.Buffer
	c := s.stream(t, StreamURIs[0])
	defer c.Close()
	res, err := RunStream(c, req, &out, &errs)
	if err != nil {
		t.Fatalf("%s %.200q: %v", req.Name, req.Arg, err)
	}
	return streamOutput{res, out.String(), errs.String()}
}

func shStream(text string) StreamRequest {
	return StreamRequest{Name: "sh", Arg: []string{"-c", text}}
}

// Both spellings serve the same, and the answer is the end of the connection.
func TestStreamURIs(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	for _, uri := range append(StreamURIs, "/"+StreamURIs[0], StreamURIs[0]+"?x=1") {
		if s.isGo && strings.ContainsAny(uri[:1]+uri[len(uri)-1:], "/1") {
			continue // our Go host's mux knows no spellings
		}
		c := s.stream(t, uri)
		var out, errs bytes.Buffer
		res, err := RunStream(c, shStream("echo out; echo err >&2; exit 7"), &out, &errs)
		if err != nil || res.ExitCode != 7 || res.TimedOut || res.Error != "" ||
			out.String() != "out\n" || errs.String() != "err\n" {
			t.Errorf("%s: %+v, %v, %q, %q", uri, res, err, &out, &errs)
		}
		silence(t, c)
	}
	s.works(t)
}

func TestStreamCommands(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	for _, c := range []struct {
		name     string
		req      StreamRequest
		out, err string
		exit     int
	}{
		{"nothing", StreamRequest{Name: "true"}, "", "", 0},
		{"no input", StreamRequest{Name: "cat"}, "", "", 0},
		{"input", StreamRequest{Name: "cat", Stdin: []byte("x\x00y\xff")}, "x\x00y\xff", "", 0},
		{"arguments", StreamRequest{Name: "printf", Arg: []string{"<%s>", "", "a b", "ü\n\"\\", "\u2028"}},
			"<><a b><ü\n\"\\><\u2028>", "", 0},
		{"environment", StreamRequest{Name: "sh", Arg: []string{"-c", "echo $TERM,$A,$LAST"},
			Env: []string{"TERM=x", "A=1=2 3", "LAST=a", "LAST=b"}}, "x,1=2 3,b\n", "", 0},
		{"signal", shStream("kill -9 $$"), "", "", -1},
		{"term", shStream("echo x; kill -15 $$"), "x\n", "", -1},
		{"stdin closed early", StreamRequest{Name: "true", Stdin: bytes.Repeat([]byte("x"), 800000)}, "", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.run(t, c.req)
			if got.out != c.out || got.err != c.err || got.ExitCode != c.exit || got.TimedOut || got.Error != "" {
				t.Errorf("got %+v", got)
			}
		})
	}
	s.works(t)
}

func TestStreamExitCodes(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	for code := range 256 {
		if got := s.run(t, shStream("exit "+strconv.Itoa(code))); got.ExitCode != code || got.Error != "" {
			t.Errorf("exit %d: %+v", code, got)
		}
	}
}

// What cannot be started says so in a trailer, and nowhere else.
func TestStreamNotStarted(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	for name, want := range map[string]string{
		"no-such-command": `exec: "no-such-command": executable file not found in $PATH`,
		"/nonexistent":    "fork/exec /nonexistent: no such file or directory",
		"/etc":            "fork/exec /etc: permission denied",
	} {
		got := s.run(t, StreamRequest{Name: name})
		if got.ExitCode != -1 || got.Error != want || got.out != "" || got.err != "" || got.TimedOut {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// A header is one line, whatever the name is.
	got := s.run(t, StreamRequest{Name: "/a\r\nX-Exec-Exit-Code: 0\r\n\r\nb"})
	if got.ExitCode != -1 || got.Error == "" || strings.ContainsAny(got.Error, "\r\n") {
		t.Errorf("injected: %+v", got)
	}
	s.works(t)
}

func TestStreamTimeout(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	pidfile := filepath.Join(s.dir, "pid")
	start := time.Now()
	req := shStream("sleep 600 & echo $! >" + pidfile + "; echo begun; wait")
	req.TimeoutMS = 400
	got := s.run(t, req)
	if !got.TimedOut || got.ExitCode != -1 || got.out != "begun\n" || got.Error != "" {
		t.Errorf("got %+v", got)
	}
	if got.DurationMS < 400 || time.Since(start) > time.Minute {
		t.Errorf("took %d ms", got.DurationMS)
	}
	waitForDeath(t, waitForFile(t, pidfile))
	// Zero and less are the default, not at once.
	for _, ms := range []int{0, -1, -farInt} {
		req := shStream("sleep 0.1; echo x")
		req.TimeoutMS = ms
		if got := s.run(t, req); got.TimedOut || got.out != "x\n" {
			t.Errorf("timeout_ms %d: %+v", ms, got)
		}
	}
	// A process that has left the group and holds the pipes must not hold the end.
	req = shStream("setsid sleep 90 & sleep 600")
	req.TimeoutMS = 200
	start = time.Now()
	if got := s.run(t, req); !got.TimedOut || time.Since(start) > time.Minute {
		t.Errorf("after %v: %+v", time.Since(start), got)
	}
}

// Input of 0 to 800 KB comes through whole.
func TestStreamInput(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	all := make([]byte, 800000)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(all)
	for _, n := range []int{1, 2, 3, 4095, 4096, 65535, 65537, len(all)} {
		got := s.run(t, StreamRequest{Name: "cat", Stdin: all[:n]})
		if got.out != string(all[:n]) || got.ExitCode != 0 {
			t.Errorf("%d bytes came back as %d: %+v", n, len(got.out), got.StreamResult)
		}
	}
	got := s.run(t, StreamRequest{Name: "sh", Arg: []string{"-c", "head -c 10; sleep 0.2; wc -c"}, Stdin: all})
	if _, after, _ := strings.Cut(got.out, string(all[:10])); got.ExitCode != 0 || strings.TrimSpace(after) == "0" {
		t.Errorf("half-read: %.60q %+v", got.out, got.StreamResult)
	}
}

// 200 MB of output, as they are.
func TestStreamLargeOutput(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	piece := make([]byte, 20<<20)
	random := rand.NewChaCha8([32]byte{2})
	_, _ = random.Read(piece)
	path := filepath.Join(s.dir, "piece")
	if err := os.WriteFile(path, piece, 0o644); err != nil {
		t.Fatal(err)
	}
	want, got := sha256.New(), sha256.New()
	for range 10 {
		_, _ = want.Write(piece)
	}
	var errs bytes.Buffer
	res, err := RunStream(s.stream(t, StreamURIs[0]),
		shStream("for i in 1 2 3 4 5 6 7 8 9 10; do cat "+path+"; echo $i >&2; done; exit 3"), got, &errs)
	if err != nil || res.ExitCode != 3 || errs.String() != "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n" {
		t.Errorf("%+v, %v, %q", res, err, &errs)
	}
	if !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
		t.Error("the output is another")
	}
}

// Output arrives while the command runs, not at its end.
func TestStreamLive(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	fifo := filepath.Join(s.dir, "go-on")
	out, put := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := RunStream(s.stream(t, StreamURIs[0]),
			shStream("echo first; until test -e "+fifo+"; do sleep 0.05; done; echo second"), put, io.Discard)
		_ = put.Close()
		done <- err
	}()
	first := make([]byte, 6)
	if _, err := io.ReadFull(out, first); err != nil || string(first) != "first\n" {
		t.Fatalf("%q, %v", first, err)
	}
	if err := os.WriteFile(fifo, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(out)
	if err != nil || string(rest) != "second\n" {
		t.Errorf("%q, %v", rest, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Whoever reads slowly makes the command wait, and the host does not grow.
func TestStreamSlowReader(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	c := s.stream(t, StreamURIs[0])
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(65536)
	}
	var count counter
	body := `{"name":"sh","arg":["-c","head -c 60000000 /dev/zero; touch ` + s.dir + `/written"]}`
	r, err := Exchange(c, NewStreamRequest([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if _, err := os.Stat(s.dir + "/written"); err == nil {
		t.Error("60 MB went into somebody's memory")
	}
	if _, err := ReadFrames(r.Body, &count, io.Discard); err != nil || count != 60000000 {
		t.Errorf("%d bytes, %v", count, err)
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
