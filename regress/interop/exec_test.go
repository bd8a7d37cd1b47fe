// SPDX-License-Identifier: ISC

package interop

// pty.Exec of skyptyd: results, limits, timeouts, many at once.

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestExec(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	for _, c := range []struct {
		name string
		req  CommandExecReq
		want CommandExecResult
	}{
		{"output", sh("echo out; echo err >&2; exit 7"),
			CommandExecResult{Stdout: []byte("out\n"), Stderr: []byte("err\n"), ExitCode: 7}},
		{"nothing", CommandExecReq{Name: "true"}, CommandExecResult{}},
		{"no input", CommandExecReq{Name: "cat"}, CommandExecResult{}},
		{"input", CommandExecReq{Name: "cat", Stdin: []byte("x\x00y")},
			CommandExecResult{Stdout: []byte("x\x00y")}},
		{"empty arguments", CommandExecReq{Name: "printf", Arg: []string{"<%s>", "", "a b"}},
			CommandExecResult{Stdout: []byte("<><a b>")}},
		{"signal", sh("kill -9 $$"), CommandExecResult{ExitCode: -1}},
		{"status 255", sh("exit 255"), CommandExecResult{ExitCode: 255}},
		{"environment", CommandExecReq{Name: "sh", Arg: []string{"-c", "echo $TERM $A"},
			Env: []string{"TERM=x", "A=1"}}, CommandExecResult{Stdout: []byte("x 1\n")}},
		{"not found", CommandExecReq{Name: "no-such-command"}, CommandExecResult{ExitCode: -1,
			Stderr: []byte("dmsgpty: exec no-such-command: exec: \"no-such-command\": executable file not found in $PATH\n")}},
		{"no such file", CommandExecReq{Name: "/no/such"}, CommandExecResult{ExitCode: -1,
			Stderr: []byte("dmsgpty: exec /no/such: fork/exec /no/such: no such file or directory\n")}},
		{"a folder", CommandExecReq{Name: "/"}, CommandExecResult{ExitCode: -1,
			Stderr: []byte("dmsgpty: exec /: fork/exec /: permission denied\n")}},
		{"stdin closed by the command", CommandExecReq{Name: "true", Stdin: bytes.Repeat([]byte("x"), 1<<20)},
			CommandExecResult{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := d.exec(t, c.req)
			got.DurationMS = 0
			if fmt.Sprintf("%q", fmt.Sprint(got)) != fmt.Sprintf("%q", fmt.Sprint(c.want)) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestExecLimits(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := d.rpc(t)
	defer c.Close()
	var res CommandExecResult

	in := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	if err := c.Call("pty.Exec", CommandExecReq{Name: "cat", Stdin: in}, &res); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(res.Stdout, in) {
		t.Errorf("1 MiB of input came back as %d bytes", len(res.Stdout))
	}
	err := c.Call("pty.Exec", CommandExecReq{Name: "cat", Stdin: append(in, 0)}, &res)
	wantError(t, err, "dmsgpty: Exec: stdin 1048577 > max 1048576")
	err = c.Call("pty.Exec", CommandExecReq{}, &res)
	wantError(t, err, "dmsgpty: Exec: empty command name")

	res = CommandExecResult{}
	if err := c.Call("pty.Exec", sh("head -c 16777217 /dev/zero; head -c 16777216 /dev/zero >&2"), &res); err != nil {
		t.Fatal(err)
	}
	if len(res.Stdout) != 16<<20 || !res.StdoutTruncated || len(res.Stderr) != 16<<20 || res.StderrTruncated {
		t.Errorf("cut to %d (%v) and %d (%v)", len(res.Stdout), res.StdoutTruncated, len(res.Stderr), res.StderrTruncated)
	}
	res = CommandExecResult{}
	if err := c.Call("pty.Exec", CommandExecReq{Name: "printf", Arg: []string{"%s", strings.Repeat("a", 131000)}}, &res); err != nil || len(res.Stdout) != 131000 {
		t.Errorf("a long argument: %v, %d bytes", err, len(res.Stdout))
	}
	d.serves(t)
}

func TestExecTimeout(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	start := time.Now()
	res := d.exec(t, CommandExecReq{Name: "sh", TimeoutMS: 300,
		Arg: []string{"-c", "echo begun; sleep 600 & sleep 600"}})
	if !res.TimedOut || res.ExitCode != -1 || string(res.Stdout) != "begun\n" {
		t.Errorf("got %+v", res)
	}
	if res.DurationMS < 300 || time.Since(start) > time.Minute {
		t.Errorf("took %d ms", res.DurationMS)
	}
	// A process that has left the group and holds the pipe must not hold the reply.
	res = d.exec(t, CommandExecReq{Name: "sh", TimeoutMS: 300,
		Arg: []string{"-c", "setsid sleep 5 & sleep 60"}})
	if !res.TimedOut {
		t.Errorf("got %+v", res)
	}
}

// Sixty-four at once on one connection, each with its own output.
func TestExecConcurrent(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := d.rpc(t)
	defer c.Close()
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var res CommandExecResult
			if err := c.Call("pty.Exec", sh(fmt.Sprintf("sleep 0.3; echo %d", i)), &res); err != nil {
				t.Error(err)
			}
			if string(res.Stdout) != fmt.Sprintf("%d\n", i) {
				t.Errorf("%d: %+v", i, res)
			}
		}()
	}
	wg.Wait()
	d.serves(t)
}

// The group of a command dies with its connection.
func TestExecDisconnect(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := d.rpc(t)
	pidfile := d.dir + "/pid"
	var res CommandExecResult
	c.Go("pty.Exec", sh("sleep 60 & echo $! >"+pidfile+".new; mv "+pidfile+".new "+pidfile+"; wait"), &res, nil)
	pid := waitForFile(t, pidfile)
	c.Close()
	waitForDeath(t, pid)
}

func waitForFile(t testing.TB, path string) string {
	t.Helper()
	for range 6000 {
		if b, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(b))
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s did not appear", path)
	return ""
}

func waitForDeath(t testing.TB, pid string) {
	t.Helper()
	for range 6000 {
		b, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(b), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %s lives on", pid)
}
