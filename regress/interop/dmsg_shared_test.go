// SPDX-License-Identifier: ISC

package interop

// One session with a server for all that use a key.

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
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
func (s *sharer) lock(server int) string { return s.lockOf(s.o.servers[server].Key.PK) }

func (s *sharer) lockOf(pk [33]byte) string {
	sum := sha256.Sum256(append(append([]byte{}, s.k.PK[:]...), pk[:]...))
	return filepath.Join(s.run, "skypty", hex.EncodeToString(sum[:16])+".lock")
}

// openedBy gives the processes that have a file open.
func openedBy(path string) (pids []int) {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && to == path {
			pid, _ := strconv.Atoi(strings.Split(l, "/")[2])
			pids = append(pids, pid)
		}
	}
	return pids
}

// holder is the process that has it open, 0 if there is none.
func (s *sharer) holder(server int) int {
	if pids := openedBy(s.lock(server)); len(pids) != 0 {
		return pids[0]
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

// guest is a stream by the holder that there is, as a command has one.
func (s *sharer) guest(t testing.TB, server int, peer [33]byte) *Conn {
	t.Helper()
	d := must((&DmsgClient{Key: s.k}).request(peer, 22))(t)
	c := must(net.Dial("unix", strings.TrimSuffix(s.lock(server), ".lock")))(t)
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	must(c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(d.obj))), d.obj...)))(t)
	var head [2]byte
	must(io.ReadFull(c, head[:]))(t)
	answer := make([]byte, binary.BigEndian.Uint16(head[:]))
	must(io.ReadFull(c, answer))(t)
	return must(d.answered(c, answer))(t)
}

// valve is a link to a server that carries no more than it is let.
type valve struct {
	ln   net.Listener
	to   string
	mu   sync.Mutex
	more *sync.Cond
	left int // bytes to the server; -1 is no limit
}

func newValve(t testing.TB, to string) *valve {
	t.Helper()
	// The system holds little of what waits there.
	conf := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
		})
	}}
	v := &valve{ln: must(conf.Listen(t.Context(), "tcp", "127.0.0.1:0"))(t), to: to, left: -1}
	v.more = sync.NewCond(&v.mu)
	go v.serve()
	t.Cleanup(func() { v.ln.Close(); v.let(-1) })
	return v
}

func (v *valve) serve() {
	for {
		near, err := v.ln.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", v.to)
		if err != nil {
			near.Close()
			continue
		}
		go func() { _, _ = io.Copy(near, far); near.Close() }()
		go v.carry(near, far)
	}
}

func (v *valve) carry(near, far net.Conn) {
	defer far.Close()
	b := make([]byte, 4096)
	for {
		n, err := near.Read(b[:v.wait(len(b))])
		v.mu.Lock()
		if v.left > 0 {
			v.left -= min(n, v.left)
		}
		v.mu.Unlock()
		if err != nil {
			return
		}
		if _, err := far.Write(b[:n]); err != nil {
			return
		}
	}
}

// wait waits until some bytes may pass, and says how many.
func (v *valve) wait(most int) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.left == 0 {
		v.more.Wait()
	}
	if v.left > 0 {
		return min(most, v.left)
	}
	return most
}

// let lets so many bytes pass, and no more.
func (v *valve) let(n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.left = n
	v.more.Broadcast()
}

// overValve is a sharer whose holder has that link to the server, the far end
// of a stream by it, and the stream.
func overValve(t testing.TB, fast int) (s *sharer, v *valve, near, far *Conn) {
	t.Helper()
	env := fastTime(t, fast)
	o := newOverlay(t, 1)
	v = newValve(t, o.addrs[0])
	s = newSharer(t, o)
	h := o.hostFor(t, s)
	peer := o.client(t, NewKey(), 0)
	o.disc.AddServer(o.servers[0].Key.PK, v.ln.Addr().String())
	s.env = env
	first := s.wait(t, h.key)
	accepted := make(chan *Conn, 1)
	go func() {
		c, _, err := peer.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	near = s.guest(t, 0, peer.Key.PK)
	far = <-accepted
	first.in.Close()
	if err := first.cmd.Wait(); err != nil || far == nil {
		t.Fatalf("%v, %q", err, first.err.String())
	}
	return s, v, near, far
}

// hand gives the holder bytes, and ends when it has all of them.
func hand(t testing.TB, near *Conn, b []byte) {
	t.Helper()
	c := near.Conn.(*net.UnixConn)
	must(c.Write(b))(t)
	check(t, c.CloseWrite())
	rest, err := io.ReadAll(c)
	if err != nil || len(rest) != 0 {
		t.Fatalf("%q, %v", rest, err)
	}
}

// gone says whether the holder has left its place.
func (s *sharer) gone() bool {
	list, err := os.ReadDir(filepath.Dir(s.lock(0)))
	return err == nil && len(list) == 0
}

// The last bytes arrive, though the holder could go long before they have: as
// many as it takes, over a link that is slow.
func TestDmsgSharedLastBytes(t *testing.T) {
	t.Parallel()
	s, v, near, far := overValve(t, 3)
	b := randomBytes(1, 90_000)
	v.let(0)
	hand(t, near, b)
	// Of its seconds 60: it lingers for 10, and a ping of its lies behind it.
	for range 200 {
		v.let(256)
		time.Sleep(100 * time.Millisecond)
	}
	if s.gone() {
		t.Error("the holder has gone")
	}
	v.let(-1)
	got, err := io.ReadAll(far.Conn)
	if err != nil || !bytes.Equal(got, b) {
		t.Errorf("%d of %d bytes, %v", len(got), len(b), err)
	}
	waitFor(t, "the holder's end", s.gone)
}

// A server that takes nothing is given up.
func TestDmsgSharedLastBytesInVain(t *testing.T) {
	t.Parallel()
	s, v, near, _ := overValve(t, 10)
	v.let(0)
	hand(t, near, randomBytes(2, 90_000))
	waitFor(t, "the holder's end", s.gone)
}

// dead is a server that says nothing: each connection is given to the test.
type dead struct {
	key   Key
	ln    net.Listener
	conns chan net.Conn
}

func newDead(t testing.TB, key Key) *dead {
	t.Helper()
	d := &dead{key: key, ln: must(net.Listen("tcp", "127.0.0.1:0"))(t), conns: make(chan net.Conn, 100)}
	go func() {
		for {
			c, err := d.ln.Accept()
			if err != nil {
				return
			}
			d.conns <- c
		}
	}()
	t.Cleanup(func() { d.ln.Close() })
	return d
}

// behind makes a host known that is to be reached by this server.
func (d *dead) behind(disc *Discovery) Key {
	k := NewKey()
	disc.AddServer(d.key.PK, d.ln.Addr().String())
	disc.Put(DmsgEntry{Version: "0.0.1", Static: k.Hex(),
		Client: &DmsgEntryClient{Delegated: []string{d.key.Hex()}}})
	return k
}

// attempt is a command that runs, and what it says.
type attempt struct {
	*exec.Cmd
	said bytes.Buffer
}

func (s *sharer) attempt(t testing.TB, h Key, arg ...string) *attempt {
	t.Helper()
	arg = append(append([]string{"exec"}, arg...), h.Hex(), "--", "echo", "here")
	a := &attempt{Cmd: s.command(t, arg...)}
	a.Stdout, a.Stderr = &a.said, &a.said
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Process.Kill() })
	return a
}

// Those who wait while one tries a server that does not answer are told what he
// found; nobody tries once more, but for who comes later or means another
// address.
func TestDmsgSharedOneAttempt(t *testing.T) {
	t.Parallel()
	s := newSharer(t, newOverlay(t, 0))
	d := newDead(t, NewKey())
	h := d.behind(s.o.disc)
	first := s.attempt(t, h)
	c := <-d.conns
	check(t, first.Process.Signal(syscall.SIGSTOP))
	all := []*attempt{first}
	for len(all) < 5 {
		all = append(all, s.attempt(t, h))
	}
	elsewhere := newDead(t, d.key)
	disc := NewDiscovery()
	moved := elsewhere.behind(disc)
	web := httptest.NewServer(disc)
	t.Cleanup(web.Close)
	other := s.attempt(t, moved, "--dmsgdisc", web.URL)
	waitFor(t, "all of them at the lock", func() bool {
		return len(openedBy(s.lockOf(d.key.PK))) == len(all)+1
	})
	c.Close()
	check(t, first.Process.Signal(syscall.SIGCONT))
	for i, a := range all {
		_ = a.Wait()
		if a.ProcessState.ExitCode() != 255 || !strings.Contains(a.said.String(), "no answer to the handshake") {
			t.Errorf("%d: %v, %q", i, a.ProcessState, a.said.String())
		}
	}
	(<-elsewhere.conns).Close()
	_ = other.Wait()
	if n := len(d.conns) + len(elsewhere.conns); n != 0 {
		t.Errorf("%d attempts too many", n)
	}
	later := s.attempt(t, h)
	(<-d.conns).Close()
	if err := later.Wait(); err == nil {
		t.Error("reached")
	}
}

// What lies in the file of the lock is somebody's word: it is shown as such, and
// counts if it is of use.
func TestDmsgSharedReason(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	var all []*sharer
	for range 6 {
		all = append(all, newSharer(t, o))
	}
	h := o.hostFor(t, all...)
	ours := "2 " + o.addrs[0] + "\n"
	for name, c := range map[string]struct{ bytes, want string }{
		"a reason":        {ours + "\x1b[31mno\nluck", `\033[31mno\nluck`},
		"none":            {ours, "here\n"},
		"nothing":         {"", "here\n"},
		"another address": {"2 192.0.2.1:80\nno luck", "here\n"},
		"another reach":   {"0 " + o.addrs[0] + "\nno luck", "here\n"},
		"too much":        {ours + strings.Repeat("no luck", 1000), "here\n"},
	} {
		s := all[0]
		all = all[1:]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, os.Mkdir(filepath.Dir(s.lock(0)), 0o700))
			f := must(os.OpenFile(s.lock(0), os.O_RDWR|os.O_CREATE, 0o600))(t)
			defer f.Close()
			check(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
			a := s.attempt(t, h.key)
			waitFor(t, "it to wait", func() bool { return len(openedBy(s.lock(0))) == 2 })
			must(f.WriteString(c.bytes))(t)
			check(t, os.Remove(s.lock(0)))
			f.Close()
			_ = a.Wait()
			if got := a.said.String(); !strings.Contains(got, c.want) || strings.Contains(got, "\x1b") {
				t.Errorf("%q", got)
			}
		})
	}
}

// A session lives over a link that is slow, on either side: what is on its way
// holds up no answer to a ping for long.
func TestDmsgSlowLink(t *testing.T) {
	t.Parallel()
	const total = 30_000_000
	for name, c := range map[string]struct {
		host bool // has it, not the client
		in   io.Reader
		cmd  []string
	}{
		"host":   {true, nil, []string{"head", "-c", fmt.Sprint(total), "/dev/zero"}},
		"client": {false, bytes.NewReader(make([]byte, total)), []string{"cat"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOverlay(t, 1)
			v := newValve(t, o.addrs[0])
			slow, fast := v.ln.Addr().String(), o.addrs[0]
			if !c.host {
				slow, fast = fast, slow
			}
			s := newSharer(t, o)
			o.disc.AddServer(o.servers[0].Key.PK, slow)
			h := o.hostFor(t, s)
			o.disc.AddServer(o.servers[0].Key.PK, fast)
			cmd := s.command(t, append([]string{"exec", "-t", "10m", h.key.Hex(), "--"}, c.cmd...)...)
			var errs bytes.Buffer
			cmd.Stdin, cmd.Stderr = c.in, &errs
			var n int64
			var err error
			done := make(chan bool)
			go func() {
				n, err = countOutput(cmd)
				close(done)
			}()
			waitFor(t, "the command", func() bool { return h.said("Command started") })
			// Servers ping each 30 seconds, and wait for 10.
			for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(100 * time.Millisecond) {
				v.let(1024)
			}
			v.let(-1)
			<-done
			if n != total || err != nil {
				t.Errorf("%d of %d bytes, %v, %q", n, total, err, errs.String())
			}
			if h.said("session lost") {
				t.Error("the session was lost")
			}
		})
	}
}
