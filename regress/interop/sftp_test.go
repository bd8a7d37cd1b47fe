// SPDX-License-Identifier: ISC

package interop

// SFTP of skyptyd, asked by github.com/pkg/sftp.

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
)

// sftpHost is skyptyd, or with SKYPTY_GO_HOST our own host.
type sftpHost struct {
	streamHost
	readOnly bool
}

func startSFTPHost(t testing.TB, more map[string]any) *sftpHost {
	t.Helper()
	if os.Getenv("SKYPTY_GO_HOST") != "" {
		return &sftpHost{streamHost{dir: t.TempDir(), isGo: true}, more["sftp_readonly"] == true}
	}
	d := startDaemonWith(t, more)
	return &sftpHost{streamHost{daemon: d, dir: d.dir}, false}
}

func (s *sftpHost) open(t testing.TB) *Conn {
	t.Helper()
	if s.isGo {
		return goOpen(t, &Host{SFTP: true, SFTPReadOnly: s.readOnly}, SFTPURI)
	}
	return s.stream(t, SFTPURI)
}

func (s *sftpHost) connect(t testing.TB, options ...sftp.ClientOption) *sftp.Client {
	t.Helper()
	c := s.open(t)
	client, err := sftp.NewClientPipe(c, c, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		_ = client.Close()
	})
	return client
}

// must stops the test at an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func randomBytes(seed byte, n int) []byte {
	b := make([]byte, n)
	random := rand.NewChaCha8([32]byte{seed})
	_, _ = random.Read(b)
	return b
}

// Twenty MB there and back, in packets of several sizes.
func TestSFTPTransfer(t *testing.T) {
	t.Parallel()
	s := startSFTPHost(t, nil)
	data := randomBytes(5, 20<<20)
	for name, options := range map[string][]sftp.ClientOption{
		"usual":    {},
		"parallel": {sftp.UseConcurrentWrites(true), sftp.UseConcurrentReads(true)},
		"one":      {sftp.MaxConcurrentRequestsPerFile(1)},
		"large":    {sftp.MaxPacketUnchecked(250000), sftp.UseConcurrentWrites(true)},
		"odd":      {sftp.MaxPacketUnchecked(10007), sftp.UseConcurrentWrites(true)},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.connect(t, options...)
			if s.isGo && name == "large" {
				t.Skip("pkg/sftp's server answers a Read with at most 32 KiB, and its client takes less for the end")
			}
			path := filepath.Join(s.dir, "file-"+name)
			f := must(c.Create(path))(t)
			if n, err := f.ReadFrom(bytes.NewReader(data)); err != nil || n != int64(len(data)) {
				t.Errorf("put %d, %v", n, err)
			}
			check(t, f.Close())
			if local := must(os.ReadFile(path))(t); !bytes.Equal(local, data) {
				t.Errorf("the host has %d other bytes", len(local))
			}
			f = must(c.Open(path))(t)
			sum := sha256.New()
			if n, err := f.WriteTo(sum); err != nil || n != int64(len(data)) ||
				!bytes.Equal(sum.Sum(nil), sum256(data)) {
				t.Errorf("got %d, %v", n, err)
			}
			check(t, f.Close())
			check(t, c.Remove(path))
		})
	}
	s.works(t)
}

func sum256(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// Each operation, looked at from the other side.
func TestSFTPOperations(t *testing.T) {
	t.Parallel()
	s := startSFTPHost(t, nil)
	c := s.connect(t)
	at := func(name string) string { return filepath.Join(s.dir, name) }
	check(t, c.Mkdir(at("d")))
	if i := must(os.Stat(at("d")))(t); !i.IsDir() {
		t.Error("Mkdir made no folder")
	}
	if c.Mkdir(at("d")) == nil {
		t.Error("the folder was made twice")
	}
	check(t, c.MkdirAll(at("d/e/f")))
	f := must(c.OpenFile(at("d/a"), os.O_RDWR|os.O_CREATE|os.O_EXCL))(t)
	_ = must(f.Write([]byte("0123456789")))(t)
	_ = must(f.WriteAt([]byte("ab"), 4))(t)
	part := make([]byte, 4)
	_ = must(f.ReadAt(part, 3))(t)
	if string(part) != "3ab6" {
		t.Errorf("ReadAt: %q", part)
	}
	if n, err := f.ReadAt(part, 10); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if i := must(f.Stat())(t); i.Size() != 10 || !i.Mode().IsRegular() {
		t.Errorf("Stat of a handle: %v", i)
	}
	check(t, f.Truncate(3))
	check(t, f.Chmod(0o640))
	check(t, f.Close())
	if _, err := c.OpenFile(at("d/a"), os.O_WRONLY|os.O_CREATE|os.O_EXCL); err == nil {
		t.Error("O_EXCL is lost")
	}
	if b := must(os.ReadFile(at("d/a")))(t); string(b) != "012" {
		t.Errorf("file: %q", b)
	}
	f = must(c.OpenFile(at("d/a"), os.O_WRONLY|os.O_APPEND))(t)
	if s.isGo { // which knows no appending
		_ = must(f.Seek(3, io.SeekStart))(t)
	}
	_ = must(f.Write([]byte("+")))(t)
	check(t, f.Close())
	check(t, c.Truncate(at("d/a"), 6))
	if b := must(os.ReadFile(at("d/a")))(t); string(b) != "012+\x00\x00" {
		t.Errorf("file: %q", b)
	}
	when := time.Unix(1234567890, 0)
	check(t, c.Chtimes(at("d/a"), when, when))
	check(t, c.Chmod(at("d/a"), 0o4751))
	i, there := must(c.Stat(at("d/a")))(t), must(os.Stat(at("d/a")))(t)
	if i.Size() != 6 || i.Mode() != there.Mode() || !i.ModTime().Equal(when) || !there.ModTime().Equal(when) ||
		i.Mode().Perm() != 0o751 {
		t.Errorf("Stat: %v %v %v, there %v", i.Mode(), i.Size(), i.ModTime(), there.Mode())
	}
	if st := i.Sys().(*sftp.FileStat); int(st.UID) != os.Getuid() || int(st.GID) != os.Getgid() {
		t.Errorf("owner: %+v", st)
	}
	check(t, c.Symlink("a", at("d/l")))
	if to := must(os.Readlink(at("d/l")))(t); to != "a" {
		t.Errorf("link to %q", to)
	}
	if to := must(c.ReadLink(at("d/l")))(t); to != "a" {
		t.Errorf("ReadLink: %q", to)
	}
	if i := must(c.Lstat(at("d/l")))(t); i.Mode()&os.ModeSymlink == 0 {
		t.Errorf("Lstat: %v", i.Mode())
	}
	check(t, c.Symlink("nowhere", at("d/dangling")))
	if _, err := c.Stat(at("d/dangling")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Stat of a dangling link: %v", err)
	}
	check(t, c.Rename(at("d/a"), at("d/b")))
	if _, err := os.Stat(at("d/b")); err != nil {
		t.Error(err)
	}
	if p := must(c.RealPath(at("d/e/../b")))(t); p != at("d/b") {
		t.Errorf("RealPath: %q", p)
	}
	check(t, c.Remove(at("d/b")))
	check(t, c.RemoveDirectory(at("d/e/f")))
	if c.RemoveDirectory(at("d")) == nil {
		t.Error("a full folder was removed")
	}
	check(t, c.RemoveAll(at("d")))
	if _, err := os.Lstat(at("d")); err == nil {
		t.Error("it is still there")
	}
	s.works(t)
}

func TestSFTPExtensions(t *testing.T) {
	t.Parallel()
	s := startSFTPHost(t, nil)
	c := s.connect(t)
	at := func(name string) string { return filepath.Join(s.dir, name) }
	for name, version := range map[string]string{"hardlink@openssh.com": "1",
		"posix-rename@openssh.com": "1", "statvfs@openssh.com": "2"} {
		if v, ok := c.HasExtension(name); !ok || v != version {
			t.Errorf("%s: %q, %v", name, v, ok)
		}
	}
	check(t, os.WriteFile(at("a"), []byte("new"), 0o600))
	check(t, os.WriteFile(at("b"), []byte("old"), 0o600))
	check(t, c.PosixRename(at("a"), at("b")))
	if b := must(os.ReadFile(at("b")))(t); string(b) != "new" {
		t.Errorf("posix-rename: %q", b)
	}
	check(t, c.Link(at("b"), at("c")))
	if !os.SameFile(must(os.Stat(at("b")))(t), must(os.Stat(at("c")))(t)) {
		t.Error("hardlink: another file")
	}
	fs := must(c.StatVFS(s.dir))(t)
	if fs.TotalSpace() == 0 || fs.TotalSpace() < fs.FreeSpace() || fs.Namemax < 100 {
		t.Errorf("statvfs: %+v", fs)
	}
	if _, err := c.StatVFS(at("missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("statvfs of nothing: %v", err)
	}
}

// A thousand names, as wild as the kernel lets them be.
func TestSFTPNames(t *testing.T) {
	t.Parallel()
	s := startSFTPHost(t, nil)
	dir := filepath.Join(s.dir, "names")
	check(t, os.Mkdir(dir, 0o700))
	want := []string{"new\nline", "\xff\xfe", "\x01\x1b[31m", " ", "-rf", "..a", `back\slash`, "ü\u2028",
		"*", "$(x)", "\"'", strings.Repeat("x", 255)}
	for i := len(want); i < 1000; i++ {
		want = append(want, fmt.Sprintf("%s%04d", strings.Repeat("n", i%200), i))
	}
	c := s.connect(t)
	for i, name := range want {
		if i%2 == 0 && i < 24 {
			check(t, must(c.Create(dir+"/"+name))(t).Close())
		} else {
			check(t, os.WriteFile(dir+"/"+name, []byte(name), 0o600))
		}
	}
	var got []string
	for _, i := range must(c.ReadDir(dir))(t) {
		got = append(got, i.Name())
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d names, want %d", len(got), len(want))
	}
	for _, name := range want {
		if _, err := c.Lstat(dir + "/" + name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	check(t, c.RemoveAll(dir))
}
