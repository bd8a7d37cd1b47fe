// SPDX-License-Identifier: ISC

package interop

// skypty cp and skypty sftp against the Go SFTP server.

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
)

// needs skips a test of a command that this skypty does not have.
func needs(t testing.TB, command string) {
	t.Helper()
	out, err := exec.Command(program(t, "SKYPTY", "skypty"), "help").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "  "+command+" ") {
			return
		}
	}
	t.Skipf("skypty help does not list %s", command)
}

// want checks a command's status and what it says, and that a success is silent.
func (r result) want(t testing.TB, status int, text string) {
	t.Helper()
	if r.status != status || !strings.Contains(r.err, text) || status == 0 && r.err != "" {
		t.Errorf("got %.300q, %.600q, %d; want %q, %d", r.out, r.err, r.status, text, status)
	}
}

// entry is a file as far as a copy preserves it.
type entry struct {
	mode fs.FileMode
	when int64
	data string
}

// tree makes a folder of files, empty, large, odd and deep.
func tree(t testing.TB, root string) {
	t.Helper()
	for _, dir := range []string{"", "empty", "deep/er/and/deeper", "new\nline", "\xff\xfe", "-r", "$(x) *"} {
		check(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	for name, data := range map[string][]byte{"nothing": nil, "byte": {0}, "large": randomBytes(6, 20<<20),
		"piece": randomBytes(7, 32768), "more": randomBytes(8, 32769), "deep/er/and/deeper/x": []byte("x"),
		"new\nline/\x01\x1b[31m": []byte("escape"), "\xff\xfe/\xfd": []byte("bytes"), "-r/-p": []byte("dash"),
		"$(x) */\"'`": []byte("quotes")} {
		check(t, os.WriteFile(filepath.Join(root, name), data, 0o644))
	}
	for i := range 100 {
		check(t, os.WriteFile(fmt.Sprintf("%s/deep/%d", root, i), fmt.Append(nil, i), 0o600))
	}
	check(t, os.Chmod(filepath.Join(root, "byte"), 0o751))
	check(t, os.Chmod(filepath.Join(root, "more"), 0o444))
	check(t, os.Chmod(filepath.Join(root, "empty"), 0o711))
	when := time.Unix(1234567890, 0)
	for _, name := range []string{"large", "byte", "-r/-p", "empty", "deep/er"} {
		check(t, os.Chtimes(filepath.Join(root, name), when, when))
	}
}

func listing(t testing.TB, root string) map[string]entry {
	t.Helper()
	all := map[string]entry{}
	check(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		i := must(d.Info())(t)
		e := entry{mode: i.Mode(), when: i.ModTime().Unix()}
		if i.Mode().IsRegular() {
			e.data = string(sum256(must(os.ReadFile(path))(t)))
		}
		all[strings.TrimPrefix(path, root)] = e
		return nil
	}))
	return all
}

func sameTree(t testing.TB, got, want string, preserved bool) {
	t.Helper()
	a, b := listing(t, got), listing(t, want)
	for name, e := range b {
		g, ok := a[name]
		if !preserved {
			e.mode, e.when, g.mode, g.when = e.mode.Type(), 0, g.mode.Type(), 0
		}
		if !ok || g != e {
			t.Errorf("%q: there %v, mode %v %v, want %v %v", name, ok, g.mode, g.when, e.mode, e.when)
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d entries, want %d", len(a), len(b))
	}
}

func cp(t testing.TB, args ...string) result {
	t.Helper()
	return skypty(t, nil, append([]string{"cp", "--no-visor-key", "-q"}, args...)...)
}

func TestClientCp(t *testing.T) {
	t.Parallel()
	needs(t, "cp")
	dest := goHost(t, &Host{SFTP: true}) + ":"
	dir := t.TempDir()
	from, there, back := dir+"/from", dir+"/there", dir+"/back"
	tree(t, from)
	for _, preserved := range []bool{true, false} {
		flags := []string{"-r"}
		if preserved {
			flags = []string{"-r", "-p"}
		}
		cp(t, append(flags, from, dest+there)...).want(t, 0, "")
		sameTree(t, there, from, preserved)
		cp(t, append(flags, dest+there, back)...).want(t, 0, "")
		sameTree(t, back, from, preserved)
		check(t, os.RemoveAll(there))
		check(t, os.RemoveAll(back))
	}
}

// A folder that is there takes the copy into it; files are replaced whole.
func TestClientCpInto(t *testing.T) {
	t.Parallel()
	needs(t, "cp")
	dest := goHost(t, &Host{SFTP: true}) + ":"
	dir := t.TempDir()
	check(t, os.Mkdir(dir+"/d", 0o755))
	check(t, os.Mkdir(dir+"/e", 0o755))
	check(t, os.WriteFile(dir+"/a", []byte("a"), 0o644))
	check(t, os.WriteFile(dir+"/b", []byte("b"), 0o644))
	check(t, os.WriteFile(dir+"/d/a", []byte("longer than it will be"), 0o644))
	cp(t, dir+"/a", dir+"/b", dest+dir+"/d").want(t, 0, "")
	cp(t, dest+dir+"/d/a", dest+dir+"/d/b", dir+"/e").want(t, 0, "")
	cp(t, "-r", dir+"/d", dest+dir+"/e").want(t, 0, "")
	for name, want := range map[string]string{"d/a": "a", "d/b": "b", "e/a": "a", "e/b": "b", "e/d/a": "a", "e/d/b": "b"} {
		if b := must(os.ReadFile(dir + "/" + name))(t); string(b) != want {
			t.Errorf("%s: %q", name, b)
		}
	}
	cp(t, dest+dir+"/missing", dir).want(t, 1, "missing")
	cp(t, dir+"/missing", dest+dir).want(t, 1, "missing")
	if got := cp(t, dest+dir+"/d", dir+"/f"); got.status == 0 || got.err == "" {
		t.Errorf("a folder without -r: %+v", got)
	}
	// One that fails does not stop the others.
	check(t, os.Mkdir(dir+"/g", 0o755))
	cp(t, dest+dir+"/missing", dest+dir+"/d/a", dir+"/g").want(t, 1, "missing")
	if b := must(os.ReadFile(dir + "/g/a"))(t); string(b) != "a" {
		t.Errorf("after a failure: %q", b)
	}
}

// saysSFTP: a user learns which service the host lacks.
func saysSFTP(r result) bool { return strings.Contains(strings.ToLower(r.err), "sftp") }

func TestClientSFTPRefused(t *testing.T) {
	t.Parallel()
	needs(t, "cp")
	dir := t.TempDir()
	check(t, os.WriteFile(dir+"/a", []byte("a"), 0o644))
	old := goHost(t, &Host{}) + ":"
	if got := cp(t, dir+"/a", old+dir+"/b"); got.status == 0 || !saysSFTP(got) {
		t.Errorf("a host without SFTP: %+v", got)
	}
	closed := goHost(t, &Host{SFTP: true, Allow: func([33]byte) bool { return false }}) + ":"
	if got := cp(t, dir+"/a", closed+dir+"/b"); got.status == 0 || !strings.Contains(got.err, "whitelist") {
		t.Errorf("unlisted: %+v", got)
	}
	readOnly := goHost(t, &Host{SFTP: true, SFTPReadOnly: true}) + ":"
	if got := cp(t, dir+"/a", readOnly+dir+"/b"); got.status == 0 || got.err == "" {
		t.Errorf("read-only: %+v", got)
	}
	cp(t, readOnly+dir+"/a", dir+"/c").want(t, 0, "")
	if _, err := os.Stat(dir + "/b"); err == nil {
		t.Error("b is there")
	}
	for name, stream := range map[string]string{"nothing": "", "garbage": "SSH-2.0-OpenSSH_9.2\r\n",
		"4 GiB": "\xff\xff\xff\xff\x02", "version 99": "\x00\x00\x00\x05\x02\x00\x00\x00\x63", "no version": "\x00\x00\x00\x01e"} {
		bad := goHost(t, &Host{Other: func(uri string) func(*Conn) {
			if uri != SFTPURI {
				return nil
			}
			return func(c *Conn) { _, _ = io.WriteString(c, stream); _, _ = c.Read(make([]byte, 100)) }
		}}) + ":"
		if got := cp(t, bad+dir+"/a", dir+"/d"); got.status == 0 || !strings.HasPrefix(got.err, "skypty: ") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// evil is a server whose folder has names that lead out of it.
type evil struct{}

type evilFile struct {
	name string
	mode fs.FileMode
}

func (e evilFile) Name() string       { return e.name }
func (e evilFile) Size() int64        { return 4 }
func (e evilFile) Mode() fs.FileMode  { return e.mode }
func (e evilFile) ModTime() time.Time { return time.Unix(1e9, 0) }
func (e evilFile) IsDir() bool        { return e.mode.IsDir() }
func (e evilFile) Sys() any           { return nil }

type evilList []os.FileInfo

func (l evilList) ListAt(to []os.FileInfo, at int64) (int, error) {
	n := copy(to, l[min(at, int64(len(l))):])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}

func (evil) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method == "List" && r.Filepath == "/tree" {
		return evilList{evilFile{"../out", 0o644}, evilFile{"..", fs.ModeDir | 0o755}, evilFile{".", fs.ModeDir | 0o755},
			evilFile{"", 0o644}, evilFile{"a/b", 0o644}, evilFile{"/tmp/../out", 0o644}, evilFile{"good", 0o644},
			evilFile{"../dir", fs.ModeDir | 0o755}, evilFile{"nul\x00", 0o644}}, nil
	}
	if r.Method == "List" {
		return evilList{evilFile{"inner", 0o644}}, nil
	}
	if strings.HasSuffix(r.Filepath, "tree") {
		return evilList{evilFile{"tree", fs.ModeDir | 0o755}}, nil
	}
	return evilList{evilFile{filepath.Base(r.Filepath), 0o644}}, nil
}

func (evil) Fileread(*sftp.Request) (io.ReaderAt, error) {
	return bytes.NewReader([]byte("evil")), nil
}

// Names from a host stay below the folder that they are copied to.
func TestClientCpEvilNames(t *testing.T) {
	t.Parallel()
	needs(t, "cp")
	h := &Host{Other: func(uri string) func(*Conn) {
		if uri != SFTPURI {
			return nil
		}
		return func(c *Conn) {
			_ = sftp.NewRequestServer(c, sftp.Handlers{FileGet: evil{}, FileList: evil{}}).Serve()
		}
	}}
	dest := goHost(t, h)
	dir := t.TempDir()
	check(t, os.Mkdir(dir+"/in", 0o755))
	got := cp(t, "-r", dest+":/tree", dir+"/in/side")
	if got.status == 0 || got.err == "" || strings.Contains(got.err, "\x00") {
		t.Errorf("%+v", got)
	}
	allowed := map[string]bool{"": true, "/in": true, "/in/side": true, "/in/side/good": true}
	for name := range listing(t, dir) {
		if !allowed[name] {
			t.Errorf("made %q", name)
		}
	}
	if _, err := os.Stat("/tmp/out"); err == nil {
		t.Error("made /tmp/out")
	}
}

// The sftp program, over our connection.
func TestClientSFTPProgram(t *testing.T) {
	t.Parallel()
	needs(t, "sftp")
	if _, err := exec.LookPath("sftp"); err != nil {
		t.Skip(err)
	}
	dest := goHost(t, &Host{SFTP: true})
	dir := t.TempDir()
	data := randomBytes(9, 3<<20)
	check(t, os.WriteFile(dir+"/a", data, 0o644))
	batch := fmt.Sprintf("mkdir %[1]s/d\nput %[1]s/a %[1]s/d/b\nchmod 600 %[1]s/d/b\nrename %[1]s/d/b %[1]s/d/c\n"+
		"symlink %[1]s/d/c %[1]s/l\nget %[1]s/l %[1]s/back\nls -1 %[1]s/d\nrm %[1]s/l\n", dir)
	got := skypty(t, strings.NewReader(batch), "sftp", "-s", NewKey().SK(), dest, "--", "-b", "-")
	if got.status != 0 || !strings.Contains(got.out, "/d/c\n") {
		t.Errorf("%+v", got)
	}
	for _, name := range []string{"d/c", "back"} {
		if b, err := os.ReadFile(dir + "/" + name); err != nil || !bytes.Equal(b, data) {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	if i, err := os.Stat(dir + "/d/c"); err != nil || i.Mode() != 0o600 {
		t.Errorf("mode: %v, %v", i, err)
	}
	old := goHost(t, &Host{})
	if got := skypty(t, nil, "sftp", "-s", NewKey().SK(), old, "--", "-b", "-"); got.status == 0 || !saysSFTP(got) {
		t.Errorf("a host without SFTP: %+v", got)
	}
}
