// SPDX-License-Identifier: ISC

package interop

// What skypty shell asks for, types and shows, and how it leaves the terminal.

import (
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// shellStub is a pty service whose output is a script.
type shellStub struct {
	mu      sync.Mutex
	started []CommandReq
	sizes   []WinSize
	asked   []int
	typed   string
	output  [][]byte // one a Read
	end     error    // after them; nil: Read waits for ever
	sized   bool     // it comes to an end once it was told its size
	short   bool     // Write tells less than it took
	stopped int
}

// Stop is what a client that leaves asks for.
func (s *shellStub) Stop(_ struct{}, _ *struct{}) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped++
	return nil
}

// Start, and the others, are the methods.
func (s *shellStub) Start(r CommandReq, _ *struct{}) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = append(s.started, r)
	return nil
}

func (s *shellStub) SetPtySize(size WinSize, _ *struct{}) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sizes = append(s.sizes, size)
	return nil
}

func (s *shellStub) Read(n int, b *[]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, n)
	if len(s.output) > 0 {
		*b, s.output = s.output[0], s.output[1:]
		return nil
	}
	// Calls are served side by side, in no order.
	for s.sized && len(s.sizes) == 0 {
		s.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
		s.mu.Lock()
	}
	if s.end == nil {
		s.mu.Unlock()
		time.Sleep(time.Minute)
		s.mu.Lock()
	}
	return s.end
}

func (s *shellStub) Write(b []byte, n *int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.typed += string(b)
	if *n = len(b); s.short {
		*n = 0
	}
	return nil
}

func (s *shellStub) hasTyped(text string) func() bool {
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.typed == text
	}
}

// serveShell serves it and shows the connection, to break it.
func serveShell(t testing.TB, stub *shellStub) (string, chan *Conn) {
	conns := make(chan *Conn, 10)
	return wildService(t, func(c *Conn) {
		conns <- c
		s := rpc.NewServer()
		if err := s.RegisterName("pty", stub); err != nil {
			panic(err)
		}
		s.ServeConn(c)
	}), conns
}

func TestClientStartRequest(t *testing.T) {
	t.Setenv("COLORTERM", "truecolor")
	t.Setenv("LC_ALL", "")
	stub := &shellStub{end: io.EOF, sized: true}
	dest, _ := serveShell(t, stub)
	c := onTerminal(t, "shell", "--no-visor-key", "-e", "A=1", dest)
	if s := c.status(); s != 0 {
		t.Errorf("status %d", s)
	}
	stub.mu.Lock()
	defer stub.mu.Unlock()
	if len(stub.started) != 1 || len(stub.asked) == 0 {
		t.Fatalf("%+v", stub)
	}
	r := stub.started[0]
	if r.Name != "/bin/bash" || len(r.Arg) != 0 || r.Size == nil || r.Size.Rows != 31 || r.Size.Cols != 97 {
		t.Errorf("started %+v, %+v", r, r.Size)
	}
	// A proxy of the original may have lost it.
	if len(stub.sizes) != 1 || stub.sizes[0] != *r.Size {
		t.Errorf("sizes %v", stub.sizes)
	}
	if stub.stopped != 0 {
		t.Error("a shell that has ended was stopped")
	}
	if env := fmt.Sprint(r.Env); env != "[TERM=vt220 COLORTERM=truecolor LANG=C.UTF-8 A=1]" {
		t.Errorf("environment %v", env)
	}
	for _, n := range stub.asked {
		if n < 1 || n > 65536 {
			t.Errorf("asked to Read %d", n)
		}
	}
}

// Everything is shown as it comes: nothing, much, more than was asked for.
func TestClientOutput(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("0123456789abcde\n", 8192) // 128 KiB
	stub := &shellStub{end: errors.New("EOF"), output: [][]byte{[]byte("one"), {}, []byte(" two\n"),
		[]byte(big), []byte("end")}}
	dest, _ := serveShell(t, stub)
	got := skypty(t, nil, "shell", "--no-visor-key", dest)
	if want := "one two\n" + big + "end"; got.out != want || got.status != 0 {
		t.Errorf("%d bytes, want %d; %q, status %d", len(got.out), len(want), got.err, got.status)
	}
}

func TestClientTyping(t *testing.T) {
	t.Parallel()
	for _, short := range []bool{false, true} {
		stub := &shellStub{short: short}
		dest, conns := serveShell(t, stub)
		c := onTerminal(t, "shell", "--no-visor-key", dest)
		<-conns
		text := "a\x03\x1a\x04\x00\x11\x13\x7f\xff"
		waitFor(t, "the raw mode", func() bool { return strings.Contains(modes(t, c.tty), "-icanon") })
		c.send(text)
		waitFor(t, "control characters", stub.hasTyped(text))
		var paste strings.Builder
		for i := range 20000 {
			fmt.Fprintf(&paste, "%d ", i)
		}
		c.send(paste.String())
		waitFor(t, "the paste", stub.hasTyped(text+paste.String()))
		_ = c.cmd.Process.Kill()
	}
}

// onSlave runs skypty on a terminal that stays open behind it.
func onSlave(t testing.TB, args ...string) (master, slave *os.File, cmd *exec.Cmd) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = master.Close(); _ = slave.Close() })
	go func() { _, _ = io.Copy(io.Discard, master) }()
	cmd = exec.Command(program(t, "SKYPTY", "skypty"), args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	return master, slave, cmd
}

func modes(t testing.TB, tty *os.File) string {
	t.Helper()
	cmd := exec.Command("stty", "-a")
	cmd.Stdin = tty
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// However it ends, the terminal is as it was.
func TestClientRestoresTerminal(t *testing.T) {
	t.Parallel()
	signal := func(sig os.Signal) func(*shellStub, *Conn, *exec.Cmd) {
		return func(_ *shellStub, _ *Conn, cmd *exec.Cmd) { _ = cmd.Process.Signal(sig) }
	}
	for name, end := range map[string]func(*shellStub, *Conn, *exec.Cmd){
		"connection closed": func(_ *shellStub, c *Conn, _ *exec.Cmd) { _ = c.Close() },
		"garbage":           func(_ *shellStub, c *Conn, _ *exec.Cmd) { _ = writeFrame(c.Conn, []byte("garbage")) },
		"SIGTERM":           signal(syscall.SIGTERM),
		"SIGHUP":            signal(syscall.SIGHUP),
		"SIGINT":            signal(syscall.SIGINT),
		"SIGQUIT":           signal(syscall.SIGQUIT),
	} {
		t.Run(name, func(t *testing.T) {
			stub := &shellStub{}
			dest, conns := serveShell(t, stub)
			_, slave, cmd := onSlave(t, "shell", "--no-visor-key", dest)
			cmd.Dir = t.TempDir() // for a core
			before := modes(t, slave)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			conn := <-conns
			waitFor(t, "the raw mode", func() bool { return modes(t, slave) != before })
			end(stub, conn, cmd)
			done := make(chan struct{})
			go func() { _ = cmd.Wait(); close(done) }()
			select {
			case <-done:
			case <-time.After(time.Minute):
				_ = cmd.Process.Kill()
				t.Fatal("skypty goes on")
			}
			if cmd.ProcessState.Success() {
				t.Error("status 0")
			}
			if after := modes(t, slave); after != before {
				t.Errorf("the terminal was\n%s and is\n%s", before, after)
			}
		})
	}
}

// A host may keep a shell that its client has left: who goes asks it to end.
func TestClientStopsShell(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*terminal){
		"escape":  func(c *terminal) { c.send("\r~.") },
		"SIGTERM": func(c *terminal) { _ = c.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGHUP":  func(c *terminal) { _ = c.cmd.Process.Signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			stub := &shellStub{}
			dest, conns := serveShell(t, stub)
			c := onTerminal(t, "shell", "--no-visor-key", dest)
			<-conns
			waitFor(t, "the raw mode", func() bool { return strings.Contains(modes(t, c.tty), "-icanon") })
			leave(c)
			if s := c.status(); s == 0 {
				t.Error("status 0")
			}
			if stub.stopped != 1 {
				t.Errorf("stopped %d times", stub.stopped)
			}
			sig := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
			if strings.HasPrefix(name, "SIG") != sig.Signaled() {
				t.Errorf("%v", c.cmd.ProcessState)
			}
		})
	}
}

// An error text of the host's cannot speak to the terminal.
func TestClientEscapesErrors(t *testing.T) {
	t.Parallel()
	stub := &shellStub{end: errors.New("bad \x1b]0;title\x07\n\x9b31m end")}
	dest, _ := serveShell(t, stub)
	got := skypty(t, nil, "shell", "--no-visor-key", dest)
	if got.status != 255 || strings.ContainsAny(got.err, "\x1b\x07") || strings.Contains(got.err, "\x9b") ||
		!strings.Contains(got.err, "end") {
		t.Errorf("%+v", got)
	}
}
