// SPDX-License-Identifier: ISC

package interop

// What a started process finds: arguments, environment, terminal, session.

import (
	"fmt"
	"strings"
	"testing"
)

// run starts a command on a terminal and gives all that it says.
func (d *daemon) run(t testing.TB, req CommandReq) string {
	t.Helper()
	s := d.shell(t, req)
	defer s.Close()
	out, _ := s.end()
	return strings.ReplaceAll(out, "\r\n", "\n")
}

func TestStartSize(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	for _, c := range []struct {
		size *WinSize
		want string
	}{
		{nil, "0 0\n"},
		{&WinSize{}, "0 0\n"},
		{&WinSize{Rows: 1}, "1 0\n"},
		{&WinSize{Cols: 300, X: 7}, "0 300\n"},
		{&WinSize{Rows: 65535, Cols: 65535, X: 65535, Y: 65535}, "65535 65535\n"},
	} {
		got := d.run(t, CommandReq{Name: "stty", Arg: []string{"size"}, Size: c.size})
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.size, got, c.want)
		}
	}
	s := d.shell(t, CommandReq{Name: "sh", Size: &WinSize{Rows: 5, Cols: 6}, Env: []string{"PS1="}})
	for _, size := range []WinSize{{65535, 65534, 65533, 65532}, {}, {Cols: 80}} {
		if err := s.Call("pty.SetPtySize", size, &empty); err != nil {
			t.Error(err)
		}
		s.write("stty size\n")
		s.until(fmt.Sprintf("\n%d %d\r\n", size.Rows, size.Cols))
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	args := []string{"", "a b", "*", "$HOME", "ü\xff\n", "-n", "'"}
	want := "<" + strings.Join(args, "><") + ">"
	res := d.exec(t, CommandExecReq{Name: "printf", Arg: append([]string{"<%s>"}, args...)})
	if string(res.Stdout) != want {
		t.Errorf("exec: %q, want %q", res.Stdout, want)
	}
	got := d.run(t, CommandReq{Name: "printf", Arg: append([]string{"<%s>"}, args...)})
	if got != want {
		t.Errorf("start: %q, want %q", got, want)
	}
	// argv[0] is the name as given, not the path that was found.
	for _, name := range []string{"cat", "/bin/cat", "/bin/../bin/cat"} {
		want := name + "\x00/proc/self/cmdline\x00"
		res := d.exec(t, CommandExecReq{Name: name, Arg: []string{"/proc/self/cmdline"}})
		if string(res.Stdout) != want {
			t.Errorf("exec: %q, want %q", res.Stdout, want)
		}
		got := d.run(t, CommandReq{Name: name, Arg: []string{"/proc/self/cmdline"}})
		if got != want {
			t.Errorf("start: %q, want %q", got, want)
		}
	}
	many := make([]string, 5000)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	res = d.exec(t, CommandExecReq{Name: "echo", Arg: many})
	if want := strings.Join(many, " ") + "\n"; string(res.Stdout) != want {
		t.Errorf("%d bytes of 5000 arguments came back", len(res.Stdout))
	}
}

// A zero byte is in no argument of a process: an error, and not its end.
func TestZeroBytes(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := d.rpc(t)
	for _, r := range []CommandReq{{Name: "ec\x00ho"}, {Name: "echo", Arg: []string{"a\x00b"}}} {
		if err := c.Call("pty.Start", r, &empty); err == nil {
			t.Errorf("%+v was started", r)
			_ = c.Call("pty.Stop", empty, &empty)
		}
		var res CommandExecResult
		err := c.Call("pty.Exec", CommandExecReq{Name: r.Name, Arg: r.Arg}, &res)
		if err == nil && (res.ExitCode != -1 || len(res.Stdout) != 0) {
			t.Errorf("%+v was run: %+v", r, res)
		}
	}
	d.serves(t)
}

// The client's entries are on top of a login's (PROTOCOL.pty 6.1 would have the
// host's own below them; regress/sys/shell-login-environment.sh says why not).
func TestEnvironment(t *testing.T) {
	t.Setenv("TZ", "Host/Zone")
	t.Setenv("LANG", "C")
	d := startDaemon(t)
	show := []string{"-c", "echo $TZ,$LANG,$MINE,$EMPTY."}
	env := []string{"LANG=first", "MINE=a=b c", "EMPTY=", "LANG=last"}
	res := d.exec(t, CommandExecReq{Name: "/bin/sh", Arg: show, Env: env})
	if string(res.Stdout) != "Host/Zone,last,a=b c,.\n" {
		t.Errorf("exec: %q", res.Stdout)
	}
	if got := d.run(t, CommandReq{Name: "/bin/sh", Arg: show, Env: env}); got != "Host/Zone,last,a=b c,.\n" {
		t.Errorf("start: %q", got)
	}
	if got := d.run(t, CommandReq{Name: "/bin/sh", Arg: show}); got != "Host/Zone,C,,.\n" {
		t.Errorf("start, no Env: %q", got)
	}
	// The name is looked up in the host's PATH, whatever Env says.
	res = d.exec(t, CommandExecReq{Name: "env", Env: []string{"PATH=/nowhere"}})
	if !strings.Contains("\n"+string(res.Stdout), "\nPATH=/nowhere\n") ||
		strings.Count("\n"+string(res.Stdout), "\nPATH=") != 1 {
		t.Errorf("PATH: %q %q", res.Stdout, res.Stderr)
	}
	// Malformed entries break nothing.
	res = d.exec(t, CommandExecReq{Name: "env", Env: []string{"", "malformed", "=x", "GOOD=1"}})
	if res.ExitCode != 0 || !strings.Contains("\n"+string(res.Stdout), "\nGOOD=1\n") {
		t.Errorf("malformed: %+v", res)
	}
}

// A session and a terminal of its own; no descriptor, no signal of ours.
func TestSession(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	const about = `set -- $(cat /proc/$$/stat); test $1 = $5 && test $1 = $6 && echo leads;
		echo tty $7; : </dev/tty && echo has a tty`
	res := d.exec(t, sh(about))
	if string(res.Stdout) != "leads\ntty 0\n" {
		t.Errorf("exec: %q", res.Stdout)
	}
	got := d.run(t, CommandReq{Name: "sh", Arg: []string{"-c", about}})
	if !strings.HasPrefix(got, "leads\ntty ") || strings.Contains(got, "tty 0\n") ||
		!strings.HasSuffix(got, "\nhas a tty\n") {
		t.Errorf("start: %q", got)
	}
	// Asked of a process itself: a shell at work has pipes and blocks signals.
	for _, c := range []struct {
		argv []string
		want string
	}{
		{[]string{"ls", "-1", "/proc/self/fd"}, "0\n1\n2\n3\n"}, // 3 is the folder
		{[]string{"grep", "-hE", "^Sig(Blk|Ign)", "/proc/self/status"},
			"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"},
	} {
		res = d.exec(t, CommandExecReq{Name: c.argv[0], Arg: c.argv[1:]})
		if got := withoutLibc(string(res.Stdout)); got != c.want {
			t.Errorf("exec: %q, want %q", got, c.want)
		}
		if got := withoutLibc(d.run(t, CommandReq{Name: c.argv[0], Arg: c.argv[1:]})); got != c.want {
			t.Errorf("start: %q, want %q", got, c.want)
		}
	}
}

// withoutLibc leaves signals 32 and 33 out, which belong to the C library: what
// started the daemon may ignore them, and no program can set them by name.
func withoutLibc(status string) string {
	for _, bits := range []string{"0000000080000000", "0000000100000000", "0000000180000000"} {
		status = strings.ReplaceAll(status, "SigIgn:\t"+bits, "SigIgn:\t0000000000000000")
	}
	return status
}
