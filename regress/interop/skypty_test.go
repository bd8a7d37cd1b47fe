// SPDX-License-Identifier: ISC

package interop

// skypty against Go hosts of several ages, and what it says to refusals.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// goHost runs a Go host and gives its destination.
func goHost(t testing.TB, h *Host) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if h.Key.sk == nil {
		h.Key = NewKey()
	}
	go h.Serve(l)
	return h.Key.Hex() + "@" + l.Addr().String()
}

type result struct {
	out, err string
	status   int
}

func skypty(t testing.TB, stdin io.Reader, args ...string) result {
	t.Helper()
	return skyptyWith(t, nil, stdin, args...)
}

// skyptyWith gives it variables, too.
func skyptyWith(t testing.TB, env []string, stdin io.Reader, args ...string) result {
	t.Helper()
	cmd := exec.Command(program(t, "SKYPTY", "skypty"), args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	cmd.Env = append(append(os.Environ(), "HOME="+t.TempDir(), "DMSGPTY_SK="), env...)
	done := make(chan error, 1)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
	case <-time.After(2 * time.Minute):
		_ = cmd.Process.Kill()
		t.Fatal("skypty hangs: " + errs.String())
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func TestClientExec(t *testing.T) {
	t.Parallel()
	k := NewKey()
	for name, h := range map[string]*Host{
		"plain":        {Allow: func(pk [33]byte) bool { return pk == k.PK }},
		"post-quantum": {Payloads: Payloads{PQ: true}},
		"no answer":    {Payloads: Payloads{First: bytes.Repeat([]byte{3}, 1087)}},
		"largest":      {Payloads: Payloads{First: make([]byte, 4094-49)}},
		"single bytes": {Piece: 1},
		"other ids":    {Foreign: true},
	} {
		t.Run(name, func(t *testing.T) {
			dest := goHost(t, h)
			for _, c := range []struct {
				in   string
				args []string
				want result
			}{
				{"", []string{"sh", "-c", "echo out; echo err >&2; exit 3"}, result{"out\n", "err\n", 3}},
				{"typed", []string{"cat"}, result{"typed", "", 0}},
				{"", []string{"-e", "A=b c", "tcp", "sh", "-c", "echo $A"}, result{"b c\n", "", 0}},
				{"", []string{"sh", "-c", "kill -9 $$"}, result{"", "", 255}},
				{"", []string{"true"}, result{}},
			} {
				args := []string{"exec", "-s", k.SK()}
				if c.args[0] == "-e" {
					args = append(args, c.args[:2]...)
					c.args = c.args[3:]
				}
				args = append(append(args, "tcp://"+dest, "--"), c.args...)
				if got := skypty(t, strings.NewReader(c.in), args...); got != c.want {
					t.Errorf("%v: got %+v, want %+v", c.args, got, c.want)
				}
			}
		})
	}
}

func TestClientExecForms(t *testing.T) {
	t.Parallel()
	dest := goHost(t, &Host{})
	for _, args := range [][]string{
		{"exec", "--via", "tcp://" + dest, "--", "echo", "-n", "x"},
		{"exec", "--via=tcp://" + dest, "echo", "-n", "x"},
		{"exec", "tcp://" + dest, "echo", "-n", "x"},
		{"shell", "--no-visor-key", dest, "--", "echo", "-n", "x"},
		{"shell", "--visor-key=false", dest, "echo", "-n", "x"},
		{"shell", "tcp://" + dest, "--no-pty", "--", "echo", "-n", "x"},
	} {
		if got := skypty(t, nil, args...); got != (result{"x", "", 0}) {
			t.Errorf("%v: %+v", args, got)
		}
	}
	start := time.Now()
	got := skypty(t, nil, "exec", "-t", "300ms", "tcp://"+dest, "--", "sleep", "600")
	if got.status != 124 || !strings.Contains(got.err, "[timed out after") || time.Since(start) > time.Minute {
		t.Errorf("timeout: %+v", got)
	}
}

func TestClientRefusals(t *testing.T) {
	t.Parallel()
	other := NewKey()
	for name, c := range map[string]struct {
		host *Host
		dest func(string) string
		want string
	}{
		"unlisted": {&Host{Allow: func([33]byte) bool { return false }}, nil, "is not on the host's whitelist"},
		"rejected": {&Host{Reject: true}, nil, "request rejected by remote dmsgpty-host"},
		"wrong key": {&Host{}, func(d string) string { return other.Hex() + d[66:] },
			"the host's key is not " + other.Hex()},
		"no Exec": {&Host{NoExec: true, NoPing: true}, nil, "can't find method pty.Exec"},
		"garbage": {&Host{Garbage: bytes.Repeat([]byte{0xf8}, 100)}, nil, "protocol error at byte"},
		"1 GiB":   {&Host{Garbage: []byte{0xfc, 0x40, 0, 0, 0}}, nil, "protocol error at byte"},
		"zeros":   {&Host{Garbage: make([]byte, 100)}, nil, "protocol error at byte"},
	} {
		t.Run(name, func(t *testing.T) {
			dest := goHost(t, c.host)
			if c.dest != nil {
				dest = c.dest(dest)
			}
			got := skypty(t, nil, "exec", "tcp://"+dest, "--", "true")
			if got.status != 255 || !strings.Contains(got.err, c.want) || got.out != "" {
				t.Errorf("%+v, want %q", got, c.want)
			}
		})
	}
}

// terminal is skypty on a terminal of ours.
type terminal struct {
	t    testing.TB
	cmd  *exec.Cmd
	tty  *os.File
	data chan []byte
	seen string
}

func onTerminal(t testing.TB, args ...string) *terminal {
	t.Helper()
	cmd := exec.Command(program(t, "SKYPTY", "skypty"), args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "TERM=vt220", "LANG=C.UTF-8")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 31, Cols: 97})
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, cmd: cmd, tty: tty, data: make(chan []byte, 100)}
	go func() {
		for {
			b := make([]byte, 4096)
			n, err := tty.Read(b)
			if err != nil {
				close(term.data)
				return
			}
			term.data <- b[:n]
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = tty.Close()
	})
	return term
}

func (c *terminal) send(text string) { _, _ = c.tty.WriteString(text) }

func (c *terminal) until(text string) string {
	c.t.Helper()
	deadline := time.After(time.Minute)
	for !strings.Contains(c.seen, text) {
		select {
		case b, ok := <-c.data:
			if !ok {
				c.t.Fatalf("ended before %q, after %q", text, c.seen)
			}
			c.seen += string(b)
		case <-deadline:
			c.t.Fatalf("no %q in %q", text, c.seen)
		}
	}
	out := c.seen
	c.seen = ""
	return out
}

func (c *terminal) status() int {
	c.t.Helper()
	done := make(chan int, 1)
	go func() {
		_ = c.cmd.Wait()
		done <- c.cmd.ProcessState.ExitCode()
	}()
	select {
	case s := <-done:
		return s
	case <-time.After(time.Minute):
		c.t.Fatal("skypty does not end")
		return -1
	}
}

func TestClientShell(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]*Host{
		"its own end": {},
		"EOF":         {End: "EOF"},
		"EIO":         {End: "read /dev/ptmx: input/output error"},
		"closed":      {End: "read /dev/ptmx: file already closed"},
		"old":         {NoPing: true, NoExec: true, Foreign: true},
		"slow":        {Piece: 1, Payloads: Payloads{First: make([]byte, 1087)}},
	} {
		t.Run(name, func(t *testing.T) {
			dest := goHost(t, h)
			c := onTerminal(t, "shell", "--no-visor-key", "-c", "/bin/sh", dest)
			c.send("stty size; echo $TERM $LANG; echo go''ne\r")
			out := c.until("gone")
			if !strings.Contains(out, "31 97") || !strings.Contains(out, "vt220 C.UTF-8") {
				t.Errorf("said %q", out)
			}
			_ = pty.Setsize(c.tty, &pty.Winsize{Rows: 44, Cols: 120})
			for i := 0; ; i++ {
				c.send(fmt.Sprintf("stty size; echo si''zed %d.\r", i))
				if out := c.until(fmt.Sprintf("sized %d.", i)); strings.Contains(out, "44 120") {
					break
				} else if i == 600 {
					t.Fatalf("said %q", out)
				}
				time.Sleep(100 * time.Millisecond)
			}
			c.send("echo la''st; exit 5\r")
			c.until("last")
			if s := c.status(); s != 0 {
				t.Errorf("status %d", s)
			}
		})
	}
}

func TestClientShellFails(t *testing.T) {
	t.Parallel()
	dest := goHost(t, &Host{End: "the disk is \x1b[31m on fire"})
	c := onTerminal(t, "shell", "--no-visor-key", "-c", "/bin/sh", dest)
	c.send("exit\r")
	c.until("on fire")
	if s := c.status(); s != 255 {
		t.Errorf("status %d", s)
	}
	got := skypty(t, nil, "shell", "--no-visor-key", "-c", "/no/such", dest)
	if got.status != 127 || !strings.Contains(got.err, "cannot start /no/such") {
		t.Errorf("%+v", got)
	}
}
