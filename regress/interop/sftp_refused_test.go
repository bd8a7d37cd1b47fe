// SPDX-License-Identifier: ISC

package interop

// SFTP that is limited, absent, abused, or left in the middle.

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/sftp"
)

// With sftp_readonly everything can be read and nothing changed.
func TestSFTPReadOnly(t *testing.T) {
	t.Parallel()
	s := startSFTPHost(t, map[string]any{"sftp_readonly": true})
	c := s.connect(t)
	at := func(name string) string { return filepath.Join(s.dir, name) }
	check(t, os.WriteFile(at("a"), []byte("text"), 0o644))
	check(t, os.Mkdir(at("d"), 0o755))
	check(t, os.Symlink("a", at("l")))
	f := must(c.Open(at("a")))(t)
	if b := must(io.ReadAll(f))(t); string(b) != "text" {
		t.Errorf("read %q", b)
	}
	if err := f.Chmod(0o600); err == nil {
		t.Error("a handle's mode was changed")
	}
	check(t, f.Close())
	_ = must(c.ReadDir(s.dir))(t)
	_ = must(c.Lstat(at("l")))(t)
	if to := must(c.ReadLink(at("l")))(t); to != "a" {
		t.Errorf("ReadLink: %q", to)
	}
	create := func(flags int, name string) error {
		f, err := c.OpenFile(at(name), flags)
		if err == nil {
			_ = f.Close()
		}
		return err
	}
	before := must(os.Stat(at("a")))(t)
	for what, err := range map[string]error{
		"create":       create(os.O_WRONLY|os.O_CREATE, "new"),
		"open":         create(os.O_RDWR, "a"),
		"append":       create(os.O_WRONLY|os.O_APPEND, "a"),
		"cut":          create(os.O_WRONLY|os.O_TRUNC, "a"),
		"mkdir":        c.Mkdir(at("new")),
		"rmdir":        c.RemoveDirectory(at("d")),
		"remove":       c.Remove(at("a")),
		"rename":       c.Rename(at("a"), at("b")),
		"posix-rename": c.PosixRename(at("a"), at("b")),
		"hardlink":     c.Link(at("a"), at("new")),
		"symlink":      c.Symlink("a", at("new")),
		"chmod":        c.Chmod(at("a"), 0o600),
		"truncate":     c.Truncate(at("a"), 0),
		"chtimes":      c.Chtimes(at("a"), before.ModTime().Add(1e9), before.ModTime().Add(1e9)),
		"chown":        c.Chown(at("a"), os.Getuid(), os.Getgid()),
	} {
		if err == nil {
			t.Errorf("%s was let pass", what)
		}
	}
	// One who reads may not make a file in passing either.
	_ = create(os.O_RDONLY|os.O_CREATE, "new")
	after := must(os.Stat(at("a")))(t)
	if after.Size() != 4 || after.Mode() != before.Mode() || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("a is now %v %v", after.Size(), after.Mode())
	}
	for _, name := range []string{"new", "b"} {
		if _, err := os.Lstat(at(name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
	s.works(t)
}

// Without a server to run, the service is not there; the rest is.
func TestSFTPAbsent(t *testing.T) {
	t.Parallel()
	if os.Getenv("SKYPTY_GO_HOST") != "" {
		t.Skip("about skyptyd's configuration")
	}
	for name, server := range map[string]string{
		"none":           "none",
		"missing":        "/no/such/sftp-server",
		"no program":     "/etc/hostname",
		"a folder":       "/etc",
		"ends at once":   "/bin/true",
		"says something": "/bin/date",
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemonWith(t, map[string]any{"sftp_server": server})
			c := d.dial(t, d.client, Payloads{})
			answer, err := Open(c, SFTPURI)
			if err != nil {
				t.Fatal(err)
			}
			if started := strings.Contains(server, "/bin/"); started == (answer == 1) {
				t.Errorf("answer %d", answer)
			}
			if answer == 1 {
				saysWhy(t, c)
			} else if client, err := sftp.NewClientPipe(c, c); err == nil {
				_ = client.Close()
				t.Error("what is that talking to?")
			}
			d.serves(t)
		})
	}
}

// saysWhy wants a sentence behind a refusal, and the end.
func saysWhy(t testing.TB, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(c)
	if len(b) == 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the host said %q, %v", b, err)
	}
}

// servers counts the SFTP servers below the daemon.
func (d *daemon) servers() int {
	parent := map[string]string{}
	name := map[string]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, _ := os.ReadFile(path)
		head, rest, ok := strings.Cut(string(b), ") ")
		if f := strings.Fields(rest); ok && len(f) > 1 {
			pid, comm, _ := strings.Cut(head, " (")
			parent[pid], name[pid] = f[1], comm
		}
	}
	n := 0
	for pid := range parent {
		p := pid
		for p != "" && p != fmt.Sprint(d.pid) {
			p = parent[p]
		}
		if p != "" && strings.HasPrefix(name[pid], "sftp-server") {
			n++
		}
	}
	return n
}

// The server goes with the connection, in the middle of a file too.
func TestSFTPDisconnect(t *testing.T) {
	t.Parallel()
	s := startSFTPHost(t, nil)
	if s.isGo {
		t.Skip("our Go host has no processes to lose")
	}
	for range 3 {
		c := s.open(t)
		client := must(sftp.NewClientPipe(c, c))(t)
		f := must(client.Create(filepath.Join(s.dir, "half")))(t)
		_ = must(f.Write(make([]byte, 100000)))(t)
		if s.servers() == 0 {
			t.Fatal("there is no server: what does this test count?")
		}
		go func() { _, _ = f.ReadFrom(endless{}) }()
		_ = c.Close()
		waitFor(t, "the server's end", func() bool { return s.servers() == 0 })
	}
	// Another is not disturbed, and each connection has its own.
	a, b := s.connect(t), s.connect(t)
	if n := s.servers(); n != 2 {
		t.Errorf("%d servers", n)
	}
	_ = a.Close()
	_ = must(b.ReadDir(s.dir))(t)
	s.works(t)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// The known opening gets the known answers, in single bytes too.
func TestSFTPKnownAnswers(t *testing.T) {
	t.Parallel()
	s := startSFTPHost(t, nil)
	for _, piece := range []int{0, 1} {
		c := s.open(t)
		c.Piece = piece
		ask := func(request string) string {
			_, _ = io.WriteString(c, request)
			var head [4]byte
			if _, err := io.ReadFull(c, head[:]); err != nil {
				t.Fatal(err)
			}
			body := make([]byte, int(head[2])<<8|int(head[3]))
			if _, err := io.ReadFull(c, body); err != nil {
				t.Fatal(err)
			}
			return string(body)
		}
		version := ask("\x00\x00\x00\x05\x01\x00\x00\x00\x03")
		if !strings.HasPrefix(version, "\x02\x00\x00\x00\x03") {
			t.Errorf("version %q", version)
		}
		for _, e := range []string{"\x14hardlink@openssh.com\x00\x00\x00\x011",
			"\x18posix-rename@openssh.com\x00\x00\x00\x011", "\x13statvfs@openssh.com\x00\x00\x00\x012"} {
			if !strings.Contains(version, e) {
				t.Errorf("no %q in %q", e, version)
			}
		}
		root := ask("\x00\x00\x00\x0a\x10\x00\x00\x00\x01\x00\x00\x00\x01/")
		if !strings.HasPrefix(root, "h\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01/") {
			t.Errorf("root %q", root)
		}
		missing := ask("\x00\x00\x00\x1d\x07\x00\x00\x00\x02\x00\x00\x00\x14/definitely-not-here")
		if !strings.HasPrefix(missing, "e\x00\x00\x00\x02\x00\x00\x00\x02") {
			t.Errorf("missing file: %q", missing)
		}
	}
}

// Packets that are none end this stream and nothing else.
func TestSFTPHostile(t *testing.T) {
	t.Parallel()
	s := startSFTPHost(t, nil)
	if s.isGo {
		t.Skip("pkg/sftp's server is not what this tests")
	}
	for name, stream := range map[string]string{
		"4 GiB":     "\xff\xff\xff\xff\x01\x00\x00\x00\x03",
		"empty":     "\x00\x00\x00\x00",
		"cut":       "\x00\x00\x00\x05\x01\x00",
		"no init":   "\x00\x00\x00\x0a\x10\x00\x00\x00\x01\x00\x00\x00\x01/",
		"HTTP":      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"1 MiB":     "\x00\x10\x00\x00" + strings.Repeat("x", 1<<20),
		"long name": "\x00\x00\x00\x05\x01\x00\x00\x00\x03\x00\x00\x00\x0a\x10\x00\x00\x00\x01\xff\xff\xff\xff/",
	} {
		t.Run(name, func(t *testing.T) {
			c := s.open(t)
			_, _ = c.Write([]byte(stream))
			if tcp, ok := c.Conn.(interface{ CloseWrite() error }); ok {
				_ = tcp.CloseWrite()
			}
			b, err := io.ReadAll(c)
			if errors.Is(err, os.ErrDeadlineExceeded) || len(b) > 2000 {
				t.Errorf("%d bytes, %v", len(b), err)
			}
		})
	}
	waitFor(t, "the servers' end", func() bool { return s.servers() == 0 })
	s.works(t)
}

// The start folder is the host's own.
func TestSFTPWorkingDirectory(t *testing.T) {
	t.Parallel()
	s := startSFTPHost(t, nil)
	want := must(os.Getwd())(t)
	if !s.isGo { // a login's, as with sshd
		want = must(user.Current())(t).HomeDir
	}
	if got := must(s.connect(t).Getwd())(t); got != want {
		t.Errorf("relative paths start at %q, not at %q", got, want)
	}
}
