// SPDX-License-Identifier: ISC

package interop

// skypty fs mount of the Go SFTP server.

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/sftp"
)

// canMount skips where FUSE or sshfs is not to be had.
func canMount(t testing.TB) {
	t.Helper()
	needs(t, "fs")
	for _, name := range []string{"sshfs", "fusermount3"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(err)
		}
	}
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	_ = f.Close()
}

func mounted(dir string) bool {
	b, _ := os.ReadFile("/proc/self/mounts")
	return strings.Contains(string(b), " "+dir+" fuse")
}

// mount is skypty fs mount in the foreground.
type mount struct {
	t    testing.TB
	cmd  *exec.Cmd
	dir  string
	errs bytes.Buffer
	done chan error
}

func startMount(t testing.TB, dest string, flags ...string) *mount {
	t.Helper()
	m := &mount{t: t, dir: filepath.Join(t.TempDir(), "mnt"), done: make(chan error, 1)}
	check(t, os.Mkdir(m.dir, 0o755))
	args := append([]string{"fs", "mount", "-s", NewKey().SK()}, flags...)
	m.cmd = exec.Command(program(t, "SKYPTY", "skypty"), append(args, dest, m.dir)...)
	m.cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "DMSGPTY_SK=")
	m.cmd.Stderr = &m.errs
	m.cmd.WaitDelay = 5 * time.Second
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { m.done <- m.cmd.Wait() }()
	t.Cleanup(func() {
		_ = m.cmd.Process.Kill()
		if mounted(m.dir) {
			_ = exec.Command("fusermount3", "-u", "-z", m.dir).Run()
		}
	})
	for range 6000 {
		if mounted(m.dir) {
			return m
		}
		select {
		case err := <-m.done:
			t.Fatalf("ended instead: %v, %s", err, &m.errs)
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("no mount")
	return nil
}

// ended waits for the end, after which nothing may be mounted.
func (m *mount) ended() int {
	m.t.Helper()
	select {
	case <-m.done:
	case <-time.After(time.Minute):
		m.t.Fatal("skypty fs mount does not end")
	}
	if mounted(m.dir) {
		m.t.Error("it is still mounted")
	}
	return m.cmd.ProcessState.ExitCode()
}

// writeAlone writes a file that no other process has open when it is closed.
// Every process that closes one makes sshfs flush it, also one that was forked
// meanwhile and closes what it got as it executes; and of two flushes at the
// same time sshfs makes only one wait for what is still on its way.
func writeAlone(t testing.TB, path string, data []byte) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	check(t, os.WriteFile(path, data, 0o644))
}

func TestClientMount(t *testing.T) {
	t.Parallel()
	canMount(t)
	dest := goHost(t, &Host{SFTP: true})
	root := t.TempDir()
	m := startMount(t, dest, "--remote-root", root)
	data := randomBytes(10, 5<<20)
	writeAlone(t, m.dir+"/a", data)
	if b := must(os.ReadFile(root + "/a"))(t); !bytes.Equal(b, data) {
		t.Errorf("the host has %d other bytes", len(b))
	}
	check(t, os.WriteFile(root+"/b", data[:1<<20], 0o600))
	if b := must(os.ReadFile(m.dir + "/b"))(t); !bytes.Equal(b, data[:1<<20]) {
		t.Errorf("read %d other bytes", len(b))
	}
	check(t, os.MkdirAll(m.dir+"/d/e", 0o755))
	check(t, os.Rename(m.dir+"/b", m.dir+"/d/e/c"))
	check(t, os.Rename(m.dir+"/a", m.dir+"/d/e/c"))
	check(t, os.Symlink("d/e/c", m.dir+"/l"))
	check(t, os.Truncate(m.dir+"/l", 3))
	check(t, os.Chmod(m.dir+"/d/e/c", 0o640))
	if to := must(os.Readlink(root + "/l"))(t); to != "d/e/c" {
		t.Errorf("link to %q", to)
	}
	if i := must(os.Stat(root + "/d/e/c"))(t); i.Size() != 3 || i.Mode() != 0o640 {
		t.Errorf("%v %v", i.Size(), i.Mode())
	}
	if e := must(os.ReadDir(m.dir))(t); len(e) != 2 || e[0].Name() != "d" || e[1].Name() != "l" {
		t.Errorf("%v", e)
	}
	check(t, os.RemoveAll(m.dir+"/d"))
	if _, err := os.Stat(root + "/d"); err == nil {
		t.Error("d is still there")
	}
	check(t, m.cmd.Process.Signal(os.Interrupt))
	if s := m.ended(); s != 0 && s != 130 {
		t.Errorf("status %d: %s", s, &m.errs)
	}
}

func TestClientMountReadOnly(t *testing.T) {
	t.Parallel()
	canMount(t)
	dest := goHost(t, &Host{SFTP: true})
	root := t.TempDir()
	check(t, os.WriteFile(root+"/a", []byte("text"), 0o644))
	m := startMount(t, dest, "--ro", "--remote-root="+root)
	if b := must(os.ReadFile(m.dir + "/a"))(t); string(b) != "text" {
		t.Errorf("read %q", b)
	}
	if err := os.WriteFile(m.dir+"/a", nil, 0o644); err == nil {
		t.Error("a was written")
	}
	if err := os.Mkdir(m.dir+"/d", 0o755); err == nil {
		t.Error("d was made")
	}
	out, err := exec.Command(program(t, "SKYPTY", "skypty"), "fs", "umount", m.dir).CombinedOutput()
	if err != nil || len(out) != 0 {
		t.Errorf("umount: %v, %s", err, out)
	}
	_ = m.ended()
	if b := must(os.ReadFile(root + "/a"))(t); string(b) != "text" {
		t.Errorf("a holds %q", b)
	}
}

// When the host goes the mount goes, and nobody hangs on it.
func TestClientMountHostGone(t *testing.T) {
	t.Parallel()
	canMount(t)
	conns := make(chan net.Conn, 10)
	h := &Host{Key: NewKey(), SFTP: true}
	dest := wildHost(t, h.Key, func(c net.Conn) {
		conns <- c
		h.serve(c)
	})
	m := startMount(t, dest, "--remote-root", t.TempDir())
	held := must(os.Create(m.dir + "/held"))(t)
	_ = must(io.WriteString(held, "x"))(t)
	for range len(conns) {
		_ = (<-conns).Close()
	}
	closed := make(chan struct{})
	go func() {
		_, _ = os.Stat(m.dir + "/held")
		_ = held.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Error("a process hangs on the mount")
	}
	if s := m.ended(); s == 0 || s >= 128+int(syscall.SIGHUP) && s != 255 {
		t.Errorf("status %d", s)
	}
	if m.errs.Len() == 0 {
		t.Error("nothing was said")
	}
}

// What fails is said before anything is mounted.
func TestClientMountRefused(t *testing.T) {
	t.Parallel()
	canMount(t)
	ok := goHost(t, &Host{SFTP: true})
	file := filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(file, nil, 0o600))
	for name, c := range map[string][2]string{
		"no SFTP":      {goHost(t, &Host{}), t.TempDir()},
		"unlisted":     {goHost(t, &Host{SFTP: true, Allow: func([33]byte) bool { return false }}), t.TempDir()},
		"wrong key":    {NewKey().Hex() + ok[66:], t.TempDir()},
		"no folder":    {ok, "/no/such"},
		"not a folder": {ok, file},
	} {
		got := skypty(t, nil, "fs", "mount", "-s", NewKey().SK(), c[0], c[1])
		if got.status == 0 || !strings.HasPrefix(got.err, "skypty: ") || mounted(c[1]) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// reads counts what comes in, and may let nothing out.
type reads struct {
	net.Conn
	n      *atomic.Int64
	silent *atomic.Bool
}

func (r reads) Write(b []byte) (int, error) {
	if r.silent.Load() {
		return len(b), nil
	}
	return r.Conn.Write(b)
}

func (r reads) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.n.Add(1)
	return n, err
}

// countedHost serves files, counts what it reads, and is silent when told so.
func countedHost(n *atomic.Int64, silent *atomic.Bool) *Host {
	h := &Host{SFTP: true}
	h.Other = func(uri string) func(*Conn) {
		if uri != SFTPURI {
			return nil
		}
		return func(c *Conn) {
			c.Conn = reads{c.Conn, n, silent}
			h.serveSFTP(c)
		}
	}
	return h
}

// Streams of dmsg that are quiet are ended: a mount that nobody uses is not.
func TestDmsgMountAsks(t *testing.T) {
	canMount(t)
	fast := fastTime(t, 10)
	o := newOverlay(t, 1)
	var n atomic.Int64
	var silent atomic.Bool
	h := countedHost(&n, &silent)
	o.goHost(t, h, 0)
	for _, v := range fast {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	m := startMount(t, h.Key.Hex(), "--dmsgdisc", o.http.URL)
	before := n.Load()
	waitFor(t, "questions", func() bool { return n.Load() >= before+4 })
	// And who asks a host that says nothing any more can be told to end.
	silent.Store(true)
	before = n.Load()
	waitFor(t, "a question without an answer", func() bool { return n.Load() > before })
	check(t, m.cmd.Process.Signal(syscall.SIGTERM))
	if s := m.ended(); s != 0 {
		t.Errorf("status %d, %s", s, &m.errs)
	}
}

// Nor is a program that speaks SFTP through skypty-ssh, and it hears nothing of
// the questions.
func TestDmsgSFTPAsks(t *testing.T) {
	t.Parallel()
	fast := fastTime(t, 10)
	o := newOverlay(t, 1)
	var n atomic.Int64
	var silent atomic.Bool
	h := countedHost(&n, &silent)
	o.goHost(t, h, 0)
	s := newSharer(t, o)
	cmd := exec.Command(program(t, "SKYPTY", "skypty"), "ssh", "-i", s.id, "-s", h.Key.Hex(), "sftp")
	cmd.Env = append(os.Environ(), append(fast, "XDG_RUNTIME_DIR="+s.run, "DMSGPTY_DMSGDISC="+o.http.URL)...)
	in := must(cmd.StdinPipe())(t)
	out := must(cmd.StdoutPipe())(t)
	check(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	client := must(sftp.NewClientPipe(out, in))(t)
	want := bytes.Repeat([]byte("0123456789"), 40000)
	path := filepath.Join(t.TempDir(), "file")
	for range 2 {
		before := n.Load()
		waitFor(t, "questions", func() bool { return n.Load() >= before+4 })
		f := must(client.Create(path))(t)
		must(f.Write(want))(t)
		check(t, f.Close())
		f = must(client.Open(path))(t)
		got := must(io.ReadAll(f))(t)
		check(t, f.Close())
		if !bytes.Equal(got, want) {
			t.Fatal("what came back is something else")
		}
	}
}
