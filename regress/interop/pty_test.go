// SPDX-License-Identifier: ISC

package interop

// The shell of skyptyd: its methods, errors, order and end.

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/rpc"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// shell is a started shell whose output is read as it is asked for.
type shell struct {
	*rpc.Client
	t    testing.TB
	seen bytes.Buffer
}

func (d *daemon) shell(t testing.TB, req CommandReq) *shell {
	t.Helper()
	s := &shell{Client: d.rpc(t), t: t}
	if err := s.Call("pty.Start", req, &empty); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shell) write(text string) {
	s.t.Helper()
	var n int
	if err := s.Call("pty.Write", []byte(text), &n); err != nil || n != len(text) {
		s.t.Fatalf("Write: %d, %v", n, err)
	}
}

// until reads on until the output holds a text.
func (s *shell) until(text string) string {
	s.t.Helper()
	for !strings.Contains(s.seen.String(), text) {
		var b []byte
		if err := s.Call("pty.Read", 32768, &b); err != nil {
			s.t.Fatalf("Read: %v after %q", err, s.seen.String())
		}
		s.seen.Write(b)
	}
	out := s.seen.String()
	s.seen.Reset()
	return out
}

// end reads to the end and gives the error that says so.
func (s *shell) end() (string, error) {
	for {
		var b []byte
		if err := s.Call("pty.Read", 32768, &b); err != nil {
			return s.seen.String(), err
		}
		s.seen.Write(b)
	}
}

func TestShell(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := d.shell(t, CommandReq{Name: "sh", Size: &WinSize{Rows: 30, Cols: 100},
		Env: []string{"PS1=$ ", "TERM=vt100"}})
	s.until("$ ")
	s.write("stty size; echo $TERM; tty\n")
	out := s.until("/dev/pts/")
	if !strings.Contains(out, "30 100\r\n") || !strings.Contains(out, "vt100\r\n") {
		t.Errorf("said %q", out)
	}
	if err := s.Call("pty.SetPtySize", WinSize{Rows: 50, Cols: 132, X: 5, Y: 6}, &empty); err != nil {
		t.Error(err)
	}
	if err := s.Call("pty.Ping", empty, &empty); err != nil {
		t.Error(err)
	}
	s.write("stty size\n")
	s.until("50 132")
	s.write("echo last; exit 3\n")
	out, err := s.end()
	if !strings.Contains(out, "last\r\n") {
		t.Errorf("the last output is lost: %q", out)
	}
	if text := err.Error(); text != "EOF" && text != "read /dev/ptmx: input/output error" {
		t.Errorf("ended with %q", text)
	}
	wantError(t, s.Call("pty.Start", CommandReq{Name: "sh"}, &empty), "a pty session is already running")
	if err := s.Call("pty.Stop", empty, &empty); err != nil {
		t.Error(err)
	}
	wantError(t, s.Call("pty.Stop", empty, &empty), "no active pty session")
	if err := s.Call("pty.Start", CommandReq{Name: "echo", Arg: []string{"again"}}, &empty); err != nil {
		t.Error(err)
	}
	s.until("again")
}

func TestShellErrors(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := d.rpc(t)
	defer c.Close()
	var b []byte
	var n int
	wantError(t, c.Call("pty.Read", 10, &b), "no active pty session")
	wantError(t, c.Call("pty.Write", []byte("x"), &n), "no active pty session")
	wantError(t, c.Call("pty.SetPtySize", WinSize{}, &empty), "no active pty session")
	wantError(t, c.Call("pty.Stop", empty, &empty), "no active pty session")
	wantError(t, c.Call("pty.Nope", empty, &empty), "rpc: can't find method pty.Nope")
	wantError(t, c.Call("pty.StartSession", CommandReq{}, &empty), "rpc: can't find method pty.StartSession")
	wantError(t, c.Call("pty.Attach", "id", &empty), "rpc: can't find method pty.Attach")
	wantError(t, c.Call("whitelist.Whitelist", empty, &empty), "rpc: can't find service whitelist.Whitelist")
	wantError(t, c.Call("nodot", empty, &empty), "rpc: service/method request ill-formed: nodot")
	wantError(t, c.Call("pty.Start", CommandReq{Name: "nope"}, &empty),
		`exec: "nope": executable file not found in $PATH`)
	wantError(t, c.Call("pty.Start", CommandReq{}, &empty),
		`exec: "": executable file not found in $PATH`)
	wantError(t, c.Call("pty.Start", CommandReq{Name: "/nope"}, &empty),
		"fork/exec /nope: no such file or directory")
	if err := c.Call("pty.Start", CommandReq{Name: "cat"}, &empty); err != nil {
		t.Fatal(err)
	}
	wantError(t, c.Call("pty.Read", 0, &b), "invalid read size: 0")
	wantError(t, c.Call("pty.Read", -5, &b), "invalid read size: -5")
	if err := c.Call("pty.Write", []byte{}, &n); err != nil || n != 0 {
		t.Errorf("empty Write: %d, %v", n, err)
	}
	err := c.Call("pty.Read", "text", &b)
	if err == nil || !strings.HasPrefix(err.Error(), "gob: ") {
		t.Errorf("wrong type: %v", err)
	}
	if err := c.Call("pty.Ping", empty, &empty); err != nil {
		t.Errorf("after a wrong type: %v", err)
	}
}

// A Read that waits keeps nobody waiting, and is cut to the size asked for.
func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := d.shell(t, CommandReq{Name: "sh", Arg: []string{"-c", "stty raw -echo; echo go; exec cat"}})
	s.until("go")
	var b []byte
	read := s.Go("pty.Read", 3, &b, nil)
	var res CommandExecResult
	for range 20 {
		if err := s.Call("pty.Ping", empty, &empty); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Call("pty.Exec", CommandExecReq{Name: "true"}, &res); err != nil {
		t.Fatal(err)
	}
	select {
	case <-read.Done:
		t.Fatalf("Read came back with %q", b)
	default:
	}
	s.write("abcdef")
	<-read.Done
	if string(b) != "abc" {
		t.Errorf("Read gave %q", b)
	}
	s.until("def")
}

// Writes that are sent without waiting take effect in their order.
func TestPipelinedWrites(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := d.shell(t, CommandReq{Name: "sh", Arg: []string{"-c", "stty raw -echo; echo go; exec cat"}})
	s.until("go")
	var want bytes.Buffer
	var calls []*rpc.Call
	for i := range 400 {
		line := fmt.Sprintf("%d;%s\n", i, strings.Repeat("x", i))
		want.WriteString(line)
		calls = append(calls, s.Go("pty.Write", []byte(line), new(int), nil))
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	want.Write(big)
	calls = append(calls, s.Go("pty.Write", big, new(int), nil))
	want.WriteString("THE-END")
	calls = append(calls, s.Go("pty.Write", []byte("THE-END"), new(int), nil))
	got := strings.TrimLeft(s.until("THE-END"), "\r\n")
	if got != want.String() {
		t.Errorf("%d bytes came back in another order than %d were sent", len(got), want.Len())
	}
	for _, c := range calls {
		if <-c.Done; c.Error != nil {
			t.Error(c.Error)
		}
	}
}

// descendants are the children of a process, or theirs, that run a program.
func descendants(t testing.TB, pid int, program string) []int {
	t.Helper()
	var found []int
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	for _, word := range strings.Fields(string(list)) {
		child, _ := strconv.Atoi(word)
		if comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", child)); string(comm) == program+"\n" {
			found = append(found, child)
		}
		found = append(found, descendants(t, child, program)...)
	}
	return found
}

// rss is a process's memory in kB.
func rss(t testing.TB, pid int) (kb int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(status), "VmRSS:")
	_, _ = fmt.Sscan(line, &kb)
	return kb
}

// Writes that wait cost what they hold and little more, and all of them come.
func TestManySmallWrites(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	const many = 150000
	s := d.shell(t, CommandReq{Name: "sh", Arg: []string{"-c", fmt.Sprintf("stty raw -echo; echo go; "+
		"until [ -e %s/read ]; do sleep 0.1; done; head -c %d | sha256sum", d.dir, many)}})
	s.until("go")
	net := descendants(t, d.pid, "skyptyd-net")
	if len(net) != 1 {
		t.Fatalf("%d children of monitors", len(net))
	}
	before := rss(t, net[0])
	sum := sha256.New()
	calls := make([]*rpc.Call, many)
	for i := range calls {
		b := []byte{byte(i * 7 >> 3)}
		sum.Write(b)
		calls[i] = s.Go("pty.Write", b, new(int), make(chan *rpc.Call, 1))
	}
	if err := s.Call("pty.Ping", empty, &empty); err != nil {
		t.Fatal(err)
	}
	grown := rss(t, net[0]) - before
	t.Logf("%d Writes: from %d kB by %d kB", many, before, grown)
	if grown > 14000 {
		t.Errorf("%d Writes of a byte take %d kB", many, grown)
	}
	if err := os.WriteFile(d.dir+"/read", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	s.until(hex.EncodeToString(sum.Sum(nil)))
	for i, c := range calls {
		if <-c.Done; c.Error != nil || *c.Reply.(*int) != 1 {
			t.Fatalf("Write %d: %v", i, c.Error)
		}
	}
}

func TestStopKillsGroup(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	pidfile := d.dir + "/pid"
	s := d.shell(t, CommandReq{Name: "sh", Arg: []string{"-c",
		"trap '' HUP TERM; sleep 60 & echo $! >" + pidfile + ".new; mv " + pidfile + ".new " + pidfile + "; wait; sleep 60"}})
	pid := waitForFile(t, pidfile)
	if err := s.Call("pty.Stop", empty, &empty); err != nil {
		t.Fatal(err)
	}
	waitForDeath(t, pid)
}

// Who is stopped may take leave.
func TestStopHangsUp(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	file := d.dir + "/said"
	s := d.shell(t, CommandReq{Name: "sh", Arg: []string{"-c",
		"trap 'echo 1 >" + file + "; exit' HUP; echo ready; while :; do sleep 1; done"}})
	var b []byte
	if err := s.Call("pty.Read", 100, &b); err != nil {
		t.Fatal(err)
	}
	if err := s.Call("pty.Stop", empty, &empty); err != nil {
		t.Fatal(err)
	}
	waitForFile(t, file)
}

// The shell goes with its connection although a Read is waiting.
func TestDisconnectKillsShell(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	pidfile := d.dir + "/pid"
	s := d.shell(t, CommandReq{Name: "sh", Arg: []string{"-c",
		"echo $$ >" + pidfile + ".new; mv " + pidfile + ".new " + pidfile + "; exec sleep 60"}})
	pid := waitForFile(t, pidfile)
	s.Go("pty.Read", 100, new([]byte), nil)
	time.Sleep(50 * time.Millisecond)
	s.Close()
	waitForDeath(t, pid)
	d.serves(t)
}

func TestBulk(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := d.shell(t, CommandReq{Name: "sh", Arg: []string{"-c", "stty raw; head -c 20000000 /dev/zero; echo END"}})
	total := 0
	for {
		var b []byte
		if err := s.Call("pty.Read", 1<<20, &b); err != nil {
			break
		}
		if len(b) > 65536 {
			t.Fatalf("Read gave %d bytes", len(b))
		}
		total += len(b)
	}
	if total != 20000004 && total != 20000005 {
		t.Errorf("%d bytes", total)
	}
}
