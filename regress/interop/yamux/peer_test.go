// SPDX-License-Identifier: ISC

// Package yamux tests the C yamux against github.com/hashicorp/yamux.
package yamux

// The C peer and a Go session joined to it.

import (
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/yamux"
)

var peerPath string

// build compiles the C peer, sanitized, from the sources as they are.
func build(dir string) error {
	sources, err := filepath.Glob("../../../common/pty/yamux*.c")
	if err != nil {
		return err
	}
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	peerPath = filepath.Join(dir, "yamux_peer")
	args := append([]string{"-std=c11", "-D_GNU_SOURCE", "-I../../..", "-O1", "-g",
		"-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-o", peerPath,
		"yamux_peer.c", "../../../common/base/buf.c", "../../../common/base/err.c"}, sources...)
	out, err := exec.Command(cc, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", cc, err, out)
	}
	return nil
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "yamux")
	if err == nil {
		err = build(dir)
	}
	status := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		status = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// choppy is a connection whose bytes come in pieces, some of them late.
type choppy struct {
	net.Conn
	r, w *rand.Rand
}

func (c choppy) Read(p []byte) (int, error) {
	if n := 1 + c.r.Intn(20000); n < len(p) {
		p = p[:n]
	}
	return c.Conn.Read(p)
}

func (c choppy) Write(p []byte) (n int, err error) {
	for err == nil && n < len(p) {
		end := min(n+1+c.w.Intn(30000), len(p))
		var k int
		k, err = c.Conn.Write(p[n:end])
		n += k
		if c.w.Intn(50) == 0 {
			time.Sleep(time.Duration(c.w.Intn(2000)) * time.Microsecond)
		}
	}
	return n, err
}

// syncBuffer holds the Go library's log.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// peer is a running C peer.
type peer struct {
	*yamux.Session
	t      testing.TB
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr bytes.Buffer
	log    syncBuffer
	ended  bool
}

// start runs the C peer in the given role with a Go session of the other.
func start(t testing.TB, change func(*yamux.Config), role string, args ...string) *peer {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	_ = ours.Close()
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, cmd: exec.Command(peerPath, append([]string{role}, args...)...)}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = theirs, &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	config := yamux.DefaultConfig()
	config.LogOutput = &p.log
	if change != nil {
		change(config)
	}
	open := yamux.Client
	if role == "client" {
		open = yamux.Server
	}
	p.Session, err = open(choppy{conn, rand.New(rand.NewSource(1)), rand.New(rand.NewSource(2))}, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !p.ended {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
			_ = p.Session.Close()
		}
	})
	return p
}

// end waits for the C peer, which must be content, as must the Go library.
func (p *peer) end() string {
	p.t.Helper()
	timer := time.AfterFunc(60*time.Second, func() { _ = p.cmd.Process.Kill() })
	err := p.cmd.Wait()
	timer.Stop()
	p.ended = true
	_ = p.Session.Close()
	if err != nil || p.stderr.Len() != 0 {
		p.t.Errorf("C peer: %v\n%s", err, p.stderr.String())
	}
	for line := range strings.Lines(p.log.String()) {
		if strings.Contains(line, "[ERR]") {
			p.t.Errorf("Go peer: %s", line)
		}
	}
	return p.stdout.String()
}

// finish closes the session from here and then is end.
func (p *peer) finish() {
	p.t.Helper()
	_ = p.Session.Close()
	p.end()
}

// want checks that so many streams are alive in the end.
func (p *peer) want(n int) {
	p.t.Helper()
	for i := 0; i < 500 && p.NumStreams() != n; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	if p.NumStreams() != n {
		p.t.Errorf("%d streams left, want %d", p.NumStreams(), n)
	}
}

func (p *peer) open(command byte) *yamux.Stream {
	p.t.Helper()
	s, err := p.OpenStream()
	if err == nil {
		_ = s.SetDeadline(time.Now().Add(60 * time.Second))
		_, err = s.Write([]byte{command})
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func fail(t testing.TB, what string, err error) bool {
	t.Helper()
	if err != nil && err != io.EOF {
		t.Errorf("%s: %v", what, err)
		return true
	}
	return false
}
