// SPDX-License-Identifier: ISC

package interop

// One session with a server for all that use a key.

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sharer runs commands of one key, whose sockets are in a folder of its own.
type sharer struct {
	o       *overlay
	k       Key
	id, run string
	env     []string
}

func newSharer(t testing.TB, o *overlay) *sharer {
	s := &sharer{o: o, k: NewKey(), run: t.TempDir()}
	s.id = filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(s.id, []byte(s.k.SK()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.run, 0o700); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *sharer) command(t testing.TB, arg ...string) *exec.Cmd {
	full := append([]string{arg[0], "-i", s.id, "--dmsgdisc", s.o.http.URL}, arg[1:]...)
	cmd := exec.Command(program(t, "SKYPTY", "skypty"), full...)
	cmd.Env = append(append(os.Environ(), "XDG_RUNTIME_DIR="+s.run), s.env...)
	return cmd
}

// lock is the file that the holder of the session with a server has locked.
func (s *sharer) lock(server int) string {
	pk := s.o.servers[server].Key.PK
	sum := sha256.Sum256(append(append([]byte{}, s.k.PK[:]...), pk[:]...))
	return filepath.Join(s.run, "skypty", hex.EncodeToString(sum[:16])+".lock")
}

// holder is the process that has it open, 0 if there is none.
func (s *sharer) holder(server int) int {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && to == s.lock(server) {
			pid, _ := strconv.Atoi(strings.Split(l, "/")[2])
			return pid
		}
	}
	return 0
}

// hostFor lets them in, often.
func (o *overlay) hostFor(t testing.TB, all ...*sharer) *dmsgHost {
	var keys []string
	for _, s := range all {
		keys = append(keys, s.k.Hex())
	}
	return o.host(t, map[string]any{"wl": keys, "maxperkey": 100}).ready(t)
}

// count counts those that were ever begun.
func (d *DmsgServer) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.conns)
}

// waiter is a command that goes on until its input ends.
type waiter struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out bytes.Buffer
	err bytes.Buffer
}

func (s *sharer) wait(t testing.TB, h Key) *waiter {
	t.Helper()
	w := &waiter{cmd: s.command(t, "exec", "-t", "5m", h.Hex(), "--", "sh", "-c", "echo begun >&2; cat")}
	var err error
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	w.cmd.Stdout = &w.out
	pipe, err := w.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	b := make([]byte, 6)
	if _, err := io.ReadFull(pipe, b); err != nil || string(b) != "begun\n" {
		rest, _ := io.ReadAll(pipe)
		t.Fatalf("%q%q, %v", b, rest, err)
	}
	go func() { _, _ = io.Copy(&w.err, pipe) }()
	return w
}

func TestDmsgShared(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]Second{"replaced": SecondReplaces, "forgotten": SecondForgotten,
		"refused": SecondRefused} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOverlay(t, 1)
			o.servers[0].Second = rule
			s := newSharer(t, o)
			h := o.hostFor(t, s)
			before := o.servers[0].count()
			first := s.wait(t, h.key)
			var wg sync.WaitGroup
			for i := range 12 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					want := fmt.Sprint("number ", i)
					out, err := s.command(t, "exec", h.key.Hex(), "--", "echo", want).CombinedOutput()
					if err != nil || string(out) != want+"\n" {
						t.Errorf("%d: %q, %v", i, out, err)
					}
				}()
			}
			file := filepath.Join(t.TempDir(), "copy")
			if out, err := s.command(t, "cp", "/etc/passwd", h.key.Hex()+":"+file).CombinedOutput(); err != nil {
				t.Errorf("cp: %q, %v", out, err)
			}
			wg.Wait()
			if _, err := io.WriteString(first.in, "still here"); err != nil {
				t.Error(err)
			}
			first.in.Close()
			if err := first.cmd.Wait(); err != nil || first.out.String() != "still here" {
				t.Errorf("the first: %q, %v", first.out.String(), err)
			}
			if n := o.servers[0].count() - before; n != 1 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

// Whoever begins it may go first, and nothing is left in the end.
func TestDmsgSharedOutlives(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	s := newSharer(t, o)
	h := o.hostFor(t, s)
	first := s.wait(t, h.key)
	second := s.wait(t, h.key)
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.cmd.Wait()
	third := s.wait(t, h.key)
	for _, w := range []*waiter{second, third} {
		w.in.Close()
		if err := w.cmd.Wait(); err != nil {
			t.Errorf("%v, %q", err, w.err.String())
		}
	}
	waitFor(t, "an empty folder", func() bool {
		list, err := os.ReadDir(filepath.Dir(s.lock(0)))
		return err == nil && len(list) == 0
	})
}

// A holder that is killed ends what goes by it, and the next one is made.
func TestDmsgSharedHolderKilled(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	s := newSharer(t, o)
	h := o.hostFor(t, s)
	w := s.wait(t, h.key)
	pid := s.holder(0)
	if pid == 0 {
		t.Fatal("there is no holder")
	}
	p, err := os.FindProcess(pid)
	if err != nil || p.Kill() != nil {
		t.Fatal("cannot kill it")
	}
	if err := w.cmd.Wait(); err == nil || w.cmd.ProcessState.ExitCode() != 255 {
		t.Errorf("%v", w.cmd.ProcessState)
	}
	out, err := s.command(t, "exec", h.key.Hex(), "--", "echo", "again").CombinedOutput()
	if err != nil || string(out) != "again\n" {
		t.Errorf("%q, %v", out, err)
	}
	if next := s.holder(0); next == pid {
		t.Error("it lives")
	}
}

// Nobody else comes to the socket, and none is made where others could.
func TestDmsgSharedPlace(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	s, more := newSharer(t, o), []*sharer{newSharer(t, o), newSharer(t, o), newSharer(t, o)}
	h := o.hostFor(t, append(more, s)...)
	w := s.wait(t, h.key)
	for path, want := range map[string]os.FileMode{
		filepath.Dir(s.lock(0)):                os.ModeDir | 0o700,
		s.lock(0):                              0o600,
		strings.TrimSuffix(s.lock(0), ".lock"): os.ModeSocket | 0o600,
	} {
		if st, err := os.Stat(path); err != nil || st.Mode() != want {
			t.Errorf("%s: %v, %v", path, st, err)
		}
	}
	w.in.Close()
	_ = w.cmd.Wait()
	for name, spoil := range map[string]func(string) error{
		"open to all":       func(dir string) error { return os.Chmod(dir, 0o777) },
		"a folder of all's": func(dir string) error { return os.MkdirAll(filepath.Join(dir, "skypty"), 0o777) },
		"a link":            func(dir string) error { return os.Symlink(t.TempDir(), filepath.Join(dir, "skypty")) },
	} {
		t.Run(name, func(t *testing.T) {
			s := more[0]
			more = more[1:]
			if err := spoil(s.run); err != nil {
				t.Fatal(err)
			}
			_ = os.Chmod(filepath.Join(s.run, "skypty"), 0o777) // whatever the mask
			w := s.wait(t, h.key)
			if _, err := os.Stat(s.lock(0)); err == nil {
				t.Error("it was used")
			}
			w.in.Close()
			if err := w.cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Where nobody may put a socket there is a session all the same.  Root has a
// folder always.
func TestDmsgSharedNowhere(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	s := newSharer(t, o)
	h := o.hostFor(t, s)
	dir := must(os.MkdirTemp("/tmp", "skypty-nowhere-"))(t)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	check(t, os.Chmod(dir, 0o755))
	// By somebody else: a file that we have open to be written, or a process
	// that we fork, cannot be executed.
	check(t, exec.Command("install", "-m", "755", program(t, "SKYPTY", "skypty"), dir+"/skypty").Run())
	for _, want := range []string{"one", "two"} {
		cmd := exec.Command(dir+"/skypty", "exec", "-s", s.k.SK(), "--dmsgdisc", o.http.URL,
			h.key.Hex(), "--", "echo", want)
		cmd.Dir = "/"
		cmd.Env = []string{"HOME=/nonexistent", "XDG_RUNTIME_DIR=/nonexistent", "PATH=" + os.Getenv("PATH")}
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65533, Gid: 65533}}
		}
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != want+"\n" {
			t.Errorf("%q, %v", out, err)
		}
	}
}

// Who comes to a full holder is told so at once.
func TestDmsgSharedFull(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	s := newSharer(t, o)
	h := o.hostFor(t, s)
	all := []*waiter{s.wait(t, h.key)}
	for len(all) < 64 {
		all = append(all, s.wait(t, h.key))
	}
	out, err := s.command(t, "exec", h.key.Hex(), "--", "true").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "too many") {
		t.Errorf("%q, %v", out, err)
	}
	for _, w := range all {
		w.in.Close()
		if err := w.cmd.Wait(); err != nil {
			t.Errorf("%v, %q", err, w.err.String())
		}
	}
}

// What is no request ends that connection to the holder, and no other.
func TestDmsgSharedNonsense(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	s := newSharer(t, o)
	h := o.hostFor(t, s)
	w := s.wait(t, h.key)
	for name, said := range map[string][]byte{
		"nothing":       {},
		"half a length": {0},
		"cut off":       {0, 5, 1, 2, 3, 4},
		"no object":     {0, 0},
		"garbage":       {0, 5, 1, 2, 3, 4, 5},
		"more than it":  {0, 5, 1, 2, 3, 4, 5, 6},
		"too long":      {0x10, 1},
		"much too long": {0xff, 0xff},
	} {
		c, err := net.Dial("unix", strings.TrimSuffix(s.lock(0), ".lock"))
		if err != nil {
			t.Fatal(name, err)
		}
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		if _, err := c.Write(said); err != nil {
			t.Error(name, err)
		}
		if len(said) < 2 || name == "cut off" {
			_ = c.(*net.UnixConn).CloseWrite() // no more comes
		}
		// At most a length of 0 and the reason.
		if got, err := io.ReadAll(c); (err != nil && !errors.Is(err, syscall.ECONNRESET)) || len(got) > 3 {
			t.Errorf("%s: %x, %v", name, got, err)
		}
		_ = c.Close()
	}
	w.in.Close()
	if err := w.cmd.Wait(); err != nil {
		t.Errorf("%v, %q", err, w.err.String())
	}
}

// A limit is told as one, over dmsg as over TCP.
func TestDmsgClientTooMany(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	s := newSharer(t, o)
	h := o.host(t, map[string]any{"wl": []string{s.k.Hex()}, "maxperkey": 1}).ready(t)
	w := s.wait(t, h.key)
	out, err := s.command(t, "exec", h.key.Hex(), "--", "true").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "the host turns the connection away") ||
		strings.Contains(string(out), "whitelist") {
		t.Errorf("%q, %v", out, err)
	}
	w.in.Close()
	if err := w.cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// Another machine has the key, too: that is said.
func TestDmsgKeyUsedElsewhere(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	s := newSharer(t, o)
	h := o.hostFor(t, s)
	// A server of 2024, where the other one is back before each try.
	o.servers[0].Shut = func(peer [33]byte) bool { return peer == s.k.PK }
	out, err := s.command(t, "exec", h.key.Hex(), "--", "true").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another process, perhaps on another machine, uses this key") {
		t.Errorf("%q, %v", out, err)
	}
}

// A server that stands still ends what goes by it, soon.
func TestDmsgSharedStandsStill(t *testing.T) {
	t.Parallel()
	fast := fastTime(t, 10)
	o := newOverlay(t, 1)
	w := newWire(t, o.addrs[0])
	s := newSharer(t, o)
	h := o.hostFor(t, s)
	o.disc.AddServer(o.servers[0].Key.PK, w.ln.Addr().String())
	s.env = fast
	c := s.wait(t, h.key)
	w.freeze()
	late := time.AfterFunc(2*time.Minute, func() { _ = c.cmd.Process.Kill() })
	err := c.cmd.Wait()
	late.Stop()
	if err == nil || c.cmd.ProcessState.ExitCode() != 255 {
		t.Errorf("%v, %q", c.cmd.ProcessState, c.err.String())
	}
}

// procField is a number in a file of /proc, -1 without it.
func procField(file, name string) int {
	b, _ := os.ReadFile(file)
	for _, line := range strings.Split(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n
		}
	}
	return -1
}

// cpu is what a process has used, in clock ticks.
func cpu(t testing.TB, pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal("the holder has gone: ", err)
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return user + system
}

// Who reads slowly when the session is lost gets what was on its way, however
// late, holds up nobody else and keeps no holder busy.
func TestDmsgSharedLostBehindSlowReader(t *testing.T) {
	t.Parallel()
	fast := fastTime(t, 10)
	o := newOverlay(t, 1)
	s := newSharer(t, o)
	h := o.hostFor(t, s)
	s.env = fast
	slow := s.command(t, "exec", "-t", "50m", h.key.Hex(), "--", "cat", "/dev/zero")
	s.env = nil
	out, err := slow.StdoutPipe() // that nobody reads
	if err != nil {
		t.Fatal(err)
	}
	if err := slow.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = slow.Process.Kill() })
	pid, last := 0, 0
	waitFor(t, "a full way", func() bool {
		if pid = s.holder(0); pid == 0 {
			return false
		}
		before := last
		last = procField(fmt.Sprintf("/proc/%d/io", pid), "wchar")
		time.Sleep(time.Second)
		return last > 256*1024 && last == before
	})
	d := o.servers[0]
	d.mu.Lock()
	d.conns[len(d.conns)-1].Close()
	d.mu.Unlock()
	next, err := s.command(t, "exec", h.key.Hex(), "--", "echo", "next").CombinedOutput()
	if err != nil || string(next) != "next\n" {
		t.Errorf("%q, %v", next, err)
	}
	before := cpu(t, pid)
	time.Sleep(8 * time.Second) // more than a minute, for it
	if used := cpu(t, pid) - before; used > 200 {
		t.Errorf("the holder is busy: %d ticks in 8 s", used)
	}
	exe := fmt.Sprintf("/proc/%d/exe", pid)
	if _, err := os.Readlink(exe); err != nil {
		t.Error("what was on its way is lost: ", err)
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Error(err)
	}
	_ = slow.Wait()
	waitFor(t, "the holder's end", func() bool {
		_, err := os.Readlink(exe)
		return err != nil
	})
}
