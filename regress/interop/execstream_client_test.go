// SPDX-License-Identifier: ISC

package interop

// skypty exec against the Go exec stream, whole and broken.

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// asked is the mux requests that a host has seen.
type asked struct {
	mu   sync.Mutex
	uris []string
}

func (a *asked) add(uri string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.uris = append(a.uris, uri)
}

func (a *asked) taken() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	uris := a.uris
	a.uris = nil
	return uris
}

// fallback is the order in which skypty asks for a way to run a command.
var fallback = []string{"skypty/1/exec", StreamURIs[0], StreamURIs[1], "dmsgpty/pty"}

func execOf(dest string, argv ...string) []string {
	return append([]string{"exec", "--no-visor-key", "tcp://" + dest, "--"}, argv...)
}

// Each way serves the command, silently, and the ways are tried in order.
func TestClientFallback(t *testing.T) {
	t.Parallel()
	for i, uri := range fallback[1:] {
		t.Run(uri, func(t *testing.T) {
			var a asked
			h := &Host{Asked: a.add}
			if uri != "dmsgpty/pty" {
				h.Stream = uri
			}
			dest := goHost(t, h)
			got := skypty(t, strings.NewReader("typed"), execOf(dest, "sh", "-c", "cat; echo err >&2; exit 3")...)
			if got != (result{"typed", "err\n", 3}) {
				t.Errorf("%+v", got)
			}
			if uris := a.taken(); !slices.Equal(uris, fallback[:i+2]) {
				t.Errorf("asked for %q", uris)
			}
		})
	}
}

func TestClientStream(t *testing.T) {
	t.Parallel()
	marker := make([]byte, 300000)
	random := rand.NewChaCha8([32]byte{3})
	_, _ = random.Read(marker)
	for name, h := range map[string]*Host{
		"plain":       {},
		"keepalives":  {Keepalive: time.Millisecond},
		"bytes":       {StreamPiece: 1},
		"threes":      {StreamPiece: 3, Keepalive: time.Millisecond},
		"noise bytes": {Piece: 1, Payloads: Payloads{PQ: true}},
	} {
		t.Run(name, func(t *testing.T) {
			h.Stream = StreamURIs[0]
			dest := goHost(t, h)
			for _, c := range []struct {
				in   string
				argv []string
				want result
			}{
				{"", []string{"sh", "-c", "echo out; sleep 0.05; echo err >&2; exit 7"}, result{"out\n", "err\n", 7}},
				{"", []string{"true"}, result{}},
				{"", []string{"sh", "-c", "exit 255"}, result{"", "", 255}},
				{"", []string{"sh", "-c", "kill -9 $$"}, result{"", "", 255}},
				{"", []string{"printf", "<%s>", "", "a b", "\"\\\n\x01ü\u2028/"}, result{"<><a b><\"\\\n\x01ü\u2028/>", "", 0}},
				{"x\x00y\xff", []string{"cat"}, result{"x\x00y\xff", "", 0}},
			} {
				if got := skypty(t, strings.NewReader(c.in), execOf(dest, c.argv...)...); got != c.want {
					t.Errorf("%q: got %+v, want %+v", c.argv, got, c.want)
				}
			}
			if h.Piece == 1 || h.StreamPiece == 1 {
				return
			}
			got := skypty(t, bytes.NewReader(marker), execOf(dest, "cat")...)
			if got.out != string(marker) || got.status != 0 {
				t.Errorf("300 KB came back as %d bytes: %q, %d", len(got.out), got.err, got.status)
			}
		})
	}
}

// What is asked for: environment, time, input, names.
func TestClientStreamRequest(t *testing.T) {
	t.Parallel()
	seen := make(chan StreamRequest, 10)
	dest := goHost(t, &Host{Stream: StreamURIs[0], StreamRequest: func(r StreamRequest) { seen <- r }})
	id := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(id, []byte(NewKey().SK()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := skypty(t, strings.NewReader("in"), "exec", "-i", id, "-e", "A=b c", "-e", "C=", "-t", "1m30s",
		"tcp://"+dest, "--", "sh", "-c", "cat; echo $A$C", "", "-x")
	if got != (result{"inb c\n", "", 0}) {
		t.Errorf("%+v", got)
	}
	var r StreamRequest
	select {
	case r = <-seen:
	default:
		t.Fatal("the stream was not asked")
	}
	if r.Name != "sh" || !slices.Equal(r.Arg, []string{"-c", "cat; echo $A$C", "", "-x"}) ||
		!slices.Equal(r.Env, []string{"A=b c", "C="}) || string(r.Stdin) != "in" || r.TimeoutMS != 90000 {
		t.Errorf("asked for %+v", r)
	}
	start := time.Now()
	got = skypty(t, nil, append([]string{"exec", "-t", "300ms"}, execOf(dest, "sh", "-c", "echo some; sleep 600")[1:]...)...)
	if got.status != 124 || got.out != "some\n" || !strings.Contains(got.err, "timed out after") ||
		time.Since(start) > time.Minute {
		t.Errorf("timeout: %+v", got)
	}
	got = skypty(t, nil, execOf(dest, "/nonexistent")...)
	if got.status != 127 || got.out != "" || !strings.Contains(got.err, "no such file or directory") {
		t.Errorf("not started: %+v", got)
	}
}

// More than pty.Exec can carry, and as it comes.
func TestClientStreamOutput(t *testing.T) {
	t.Parallel()
	dest := goHost(t, &Host{Stream: StreamURIs[0]})
	piece := make([]byte, 10<<20)
	random := rand.NewChaCha8([32]byte{4})
	_, _ = random.Read(piece)
	path := filepath.Join(t.TempDir(), "piece")
	if err := os.WriteFile(path, piece, 0o644); err != nil {
		t.Fatal(err)
	}
	got := skypty(t, nil, execOf(dest, "sh", "-c", fmt.Sprintf("cat %[1]s %[1]s %[1]s %[1]s; echo e >&2", path))...)
	if got.status != 0 || got.err != "e\n" ||
		sha256.Sum256([]byte(got.out)) != sha256.Sum256(bytes.Repeat(piece, 4)) {
		t.Errorf("%d bytes, %q, %d", len(got.out), got.err, got.status)
	}
}

// A broken stream is an error, said once and without a second try: the command
// may have run.
func TestClientStreamFaults(t *testing.T) {
	t.Parallel()
	const unknown = "ended before the command reported an exit code"
	want := map[string]result{
		"abort":        {"out\n", unknown, 255},
		"cut":          {"out\n", unknown, 255},
		"cut-trailers": {"out\n", unknown, 255},
		"no-exit":      {"out\n", unknown, 255},
		"no-trailers":  {"out\n", unknown, 255},
		"empty-exit":   {"out\n", "", 255},
		"cut-chunk":    {"out\n", unknown, 255},
		"bad-tag":      {"out\n", "unknown frame tag", 255},
		"oversized":    {"out\n", "", 255},
		"half-a-frame": {"*", "", 255},
		"largest":      {strings.Repeat("x", frameLimit), "", 0},
		"empty-frames": {"out\n", "", 0},
		"100-first":    {"out\n", "", 3},
		"500":          {"", "on fire", 255},
		"500-large":    {"", "begun yyy", 255},
		"500-framed":   {"", "", 255},
		"plain-type":   {"*", "", 255},
		"redirect":     {"", "302", 255},
		"garbage":      {"", "", 255},
	}
	for _, fault := range StreamFaults() {
		t.Run(fault, func(t *testing.T) {
			w, ok := want[fault]
			if !ok {
				w = result{"*", "", 255}
			}
			var a asked
			dest := goHost(t, &Host{Stream: StreamURIs[0], StreamFault: fault, Asked: a.add})
			got := skypty(t, nil, execOf(dest, "touch", "/dev/null")...)
			if w.out != "*" && got.out != w.out || got.status != w.status || !strings.Contains(got.err, w.err) {
				t.Errorf("got %.300q %.300q %d, want %.300q %q %d", got.out, got.err, got.status, w.out, w.err, w.status)
			}
			if strings.Trim(got.out, "x") != "" && !strings.HasPrefix(got.out, "out\n") {
				t.Errorf("gave out %.300q", got.out)
			}
			if (got.err == "") != (got.status != 255) || len(got.err) > 8192 || strings.Contains(got.err, "\x1b") ||
				strings.Contains(got.err, "\x00") {
				t.Errorf("said %.300q", got.err)
			}
			if uris := a.taken(); !slices.Equal(uris, fallback[:2]) {
				t.Errorf("asked for %q", uris)
			}
		})
	}
}

// TestSharedByOlderHost: a host without channels serves as ever, and is not
// asked for them again and again.
func TestSharedByOlderHost(t *testing.T) {
	t.Parallel()
	var a asked
	dest := goHost(t, &Host{Stream: StreamURIs[0], Asked: a.add})
	key := keyFiles(t, NewKey())[0]
	run := t.TempDir()
	if err := os.Chmod(run, 0o700); err != nil {
		t.Fatal(err)
	}
	env := []string{"XDG_RUNTIME_DIR=" + run}
	args := execOf(dest, "echo", "here")
	args = append([]string{args[0], "-M", "-v", "-i", key}, args[1:]...)
	for i := range 3 {
		got := skyptyWith(t, env, nil, args...)
		if got.out != "here\n" || got.status != 0 {
			t.Errorf("%+v", got)
		}
		if told := strings.Contains(got.err, "has no channels"); told != (i == 0) {
			t.Errorf("run %d: told %v: %s", i, told, got.err)
		}
	}
	n := 0
	for _, uri := range a.taken() {
		if uri == "skypty/1/channels" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("asked %d times for channels", n)
	}
	left, _ := filepath.Glob(filepath.Join(run, "skypty", "*"))
	if len(left) != 1 || !strings.HasSuffix(left[0], ".none") {
		t.Errorf("left are %q", left)
	}
}
