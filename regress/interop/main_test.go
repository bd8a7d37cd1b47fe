// SPDX-License-Identifier: ISC

package interop

// A skyptyd to test against, and what all tests share.

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is for what does not come at all: boards in software are slow.
const patience = 10 * time.Minute

// program finds a C program: by its variable, or in the project's top folder.
func program(t testing.TB, variable, name string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		path = "../../" + name
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(abs); err != nil {
		t.Fatal(err)
	}
	return abs
}

// daemon is a running skyptyd.
type daemon struct {
	key, client Key
	addr        string
	dir         string
	pid         int
}

func startDaemon(t testing.TB) *daemon {
	t.Helper()
	return startDaemonWith(t, nil)
}

// interrupt ends a daemon and its connections: signals that come close
// together are one.
func interrupt(cmd *exec.Cmd) {
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	for {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// startDaemonWith has more in its configuration.
func startDaemonWith(t testing.TB, more map[string]any) *daemon {
	t.Helper()
	d := &daemon{key: NewKey(), client: NewKey(), dir: t.TempDir()}
	keys := map[string]any{"sk": d.key.SK(), "wl": []string{d.client.Hex()}}
	maps.Copy(keys, more)
	conf, _ := json.Marshal(keys)
	path := filepath.Join(d.dir, "host.json")
	if err := os.WriteFile(path, conf, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t, "SKYPTYD", "skyptyd"), "tcp", "-c", path,
		"--addr", "127.0.0.1:0", "--cliaddr", filepath.Join(d.dir, "s"))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.pid = cmd.Process.Pid
	t.Cleanup(func() { interrupt(cmd) })
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if _, addr, ok := strings.Cut(lines.Text(), "Listening on "); ok {
			d.addr = addr
		}
		if strings.Contains(lines.Text(), "Serving as") {
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return d
		}
	}
	t.Fatal("skyptyd did not start")
	return nil
}

func (d *daemon) tcp(t testing.TB) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

func (d *daemon) dial(t testing.TB, k Key, p Payloads) *Conn {
	t.Helper()
	c, err := Dial(d.tcp(t), k, d.key.PK[:], p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// open gives a connection with the pty service accepted.
func (d *daemon) open(t testing.TB) *Conn {
	t.Helper()
	c := d.dial(t, d.client, Payloads{})
	answer, err := Open(c, "dmsgpty/pty")
	if err != nil || answer != 0 {
		t.Fatalf("mux: %d, %v", answer, err)
	}
	return c
}

func (d *daemon) rpc(t testing.TB) *rpc.Client {
	t.Helper()
	return rpc.NewClient(d.open(t))
}

// serves fails the test unless the daemon still runs a command.
func (d *daemon) serves(t testing.TB) {
	t.Helper()
	res := d.exec(t, CommandExecReq{Name: "echo", Arg: []string{"alive"}})
	if string(res.Stdout) != "alive\n" {
		t.Fatalf("the daemon does not serve: %+v", res)
	}
}

func (d *daemon) exec(t testing.TB, req CommandExecReq) (res CommandExecResult) {
	t.Helper()
	c := d.rpc(t)
	defer c.Close()
	if err := c.Call("pty.Exec", req, &res); err != nil {
		t.Fatal(err)
	}
	return res
}

func sh(script string) CommandExecReq {
	return CommandExecReq{Name: "sh", Arg: []string{"-c", script}}
}

// wantError checks an RPC error's text to the letter.
func wantError(t testing.TB, err error, text string) {
	t.Helper()
	if err == nil || err.Error() != text {
		t.Errorf("error %v, want %q", err, text)
	}
}

// farInt is beyond what C keeps of a status, and 0 in its lower half or byte: 1 << 40
// where an int has 64 bits.
const farInt = 1 << (strconv.IntSize * 5 / 8)
