// SPDX-License-Identifier: ISC

package interop

// skypty fleet on very many hosts, on hosts that hang, and on one that prints
// without an end.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// stubFleet is as many hosts as there are addresses, with one key; each counts
// how often a command was to be run.  It gives a file of them.
func stubFleet(t *testing.T, n int, serve func(*Conn)) (list string, ran []atomic.Int32) {
	t.Helper()
	key := NewKey()
	ran = make([]atomic.Int32, n)
	var lines strings.Builder
	for i := range n {
		l, err := net.Listen("tcp", fmt.Sprintf("127.3.%d.%d:0", i/250, i%250+1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		h := only(ExecURI, func(c *Conn) {
			if ReadStart(c) == nil {
				ran[i].Add(1)
				serve(c)
			}
		})
		h.Key = key
		go h.Serve(l)
		fmt.Fprintf(&lines, "%s@%s #all\n", key.Hex(), l.Addr())
	}
	list = filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(list, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return list, ran
}

// runFleet gives the most memory that the client, or a process of a host, had.
func runFleet(t *testing.T, args ...string) (result, int64) {
	t.Helper()
	cmd := exec.Command(program(t, "SKYPTY", "skypty"), append([]string{"fleet", "--no-visor-key"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_STATE_HOME="+home)
	var exit *exec.ExitError
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended, most := make(chan struct{}), make(chan int64)
	go func() { most <- mostMemory(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	close(ended)
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}, <-most
}

// mostMemory is what a process or a child of its has held at most, in kB, as seen
// now and then.  Its Maxrss would count what this process held when it forked.
func mostMemory(pid int, ended <-chan struct{}) (most int64) {
	for {
		select {
		case <-ended:
			return most
		case <-time.After(20 * time.Millisecond):
		}
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		for _, p := range append(strings.Fields(string(children)), fmt.Sprint(pid)) {
			text, _ := os.ReadFile("/proc/" + p + "/status")
			if _, rest, ok := strings.Cut(string(text), "VmHWM:"); ok {
				var kb int64
				_, _ = fmt.Sscan(rest, &kb)
				most = max(most, kb)
			}
		}
	}
}

// Each of a thousand hosts has its turn, and once.
func TestFleetThousandHosts(t *testing.T) {
	t.Parallel()
	list, ran := stubFleet(t, 1000, SayItDidWell)
	got, _ := runFleet(t, "@"+list, "--", "true")
	if got.status != 0 || !strings.HasSuffix(got.err, "1000 hosts: 1000 ok, 0 failed\n") {
		t.Errorf("%+v", got)
	}
	for i := range ran {
		if n := ran[i].Load(); n != 1 {
			t.Errorf("host %d ran it %d times", i, n)
		}
	}
}

// What is printed without an end is neither kept nor shown.
func TestFleetGigabyte(t *testing.T) {
	t.Parallel()
	const size, piece = 1 << 30, 1 << 16
	list, _ := stubFleet(t, 2, func(c *Conn) {
		_, _ = io.WriteString(c, started)
		text := frame(1, bytes.Repeat([]byte("0123456789abcde\n"), piece/16))
		for range size / piece / 2 {
			if _, err := c.Write(text); err != nil {
				return
			}
		}
		_, _ = c.Write(frame(6, make([]byte, 13)))
		_, _ = io.Copy(io.Discard, c)
	})
	got, kb := runFleet(t, "@"+list, "--", "true")
	if got.status != 0 || !strings.Contains(got.out, fmt.Sprintf("[%d more bytes", size/2-256*1024)) {
		t.Errorf("status %d, %s", got.status, got.err)
	}
	if len(got.out) > 1<<20 || kb == 0 || kb > 32*1024 {
		t.Errorf("%d bytes shown, %d kB of memory", len(got.out), kb)
	}
}

// Hosts that take us and then hang, wherever, cost their own turn and no
// other's.  What had begun is known.
func TestFleetHangs(t *testing.T) {
	t.Parallel()
	hang := func(c *Conn) { _, _ = io.Copy(io.Discard, c) }
	args := []string{"-j", "7", "-t", "10s", "--connect-timeout", "10s"}
	said := map[string]string{}
	for name, h := range map[string]*Host{
		"behind the handshake": {Allow: func([33]byte) bool { time.Sleep(time.Hour); return false }},
		"before it is accepted": {Other: func(string) func(*Conn) {
			time.Sleep(time.Hour)
			return nil
		}},
		"before the start": only(ExecURI, hang),
		"behind the start": only(ExecURI, func(c *Conn) {
			_, _ = io.WriteString(c, started)
			hang(c)
		}),
		"in a frame": only(ExecURI, func(c *Conn) {
			_, _ = io.WriteString(c, started+"\x01\x00\x10\x00\x00x")
			hang(c)
		}),
		"while it prints": only(ExecURI, func(c *Conn) {
			_, _ = io.WriteString(c, started)
			for {
				if _, err := io.WriteString(c, oneByte); err != nil {
					return
				}
			}
		}),
	} {
		dest := goHost(t, h)
		said[name] = "@" + strings.SplitN(dest, "@", 2)[1] + ": timed out"
		if h.Allow != nil || name == "before it is accepted" {
			said[name] = strings.Replace(said[name], "timed out", "not reached", 1)
		}
		args = append(args, dest)
	}
	list, ran := stubFleet(t, 2, SayItDidWell)
	got, _ := runFleet(t, append(args, "@"+list, "--", "true")...)
	if got.status != 1 || !strings.Contains(got.err, "8 hosts: 2 ok, 4 failed, 2 not reached") {
		t.Errorf("%+v", got)
	}
	for name, words := range said {
		if !strings.Contains(got.err, words) {
			t.Errorf("%s: %q is not in %s", name, words, got.err)
		}
	}
	if ran[0].Load() != 1 || ran[1].Load() != 1 {
		t.Error("others did not have their turn")
	}
}
