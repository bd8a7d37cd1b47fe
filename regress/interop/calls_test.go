// SPDX-License-Identifier: ISC

package interop

// Calls under way at once, and what ends them.

import (
	"bytes"
	"fmt"
	"net/rpc"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// await fails the test if a call takes too long.
func await(t testing.TB, what string, c *rpc.Call) error {
	t.Helper()
	select {
	case <-c.Done:
		return c.Error
	case <-time.After(time.Minute):
		t.Fatalf("no answer to %s", what)
		return nil
	}
}

// answers fails the test unless Ping and SetPtySize pass what is under way.
func (s *shell) answers() {
	s.t.Helper()
	if err := await(s.t, "Ping", s.Go("pty.Ping", empty, &empty, nil)); err != nil {
		s.t.Error(err)
	}
	size := s.Go("pty.SetPtySize", WinSize{Rows: 9, Cols: 9}, &empty, nil)
	if err := await(s.t, "SetPtySize", size); err != nil {
		s.t.Error(err)
	}
}

// echo is a shell that gives back what it gets.
func (d *daemon) echo(t testing.TB) *shell {
	t.Helper()
	s := d.shell(t, CommandReq{Name: "sh", Arg: []string{"-c", "stty raw -echo; echo go; exec cat"}})
	s.until("go\n")
	return s
}

// deaf reads nothing that is typed.
func (d *daemon) deaf(t testing.TB, pidfile string) *shell {
	t.Helper()
	return d.shell(t, CommandReq{Name: "sh", Arg: []string{"-c",
		"stty raw -echo; echo $$ >" + pidfile + ".new; mv " + pidfile + ".new " + pidfile + "; exec sleep 60"}})
}

func TestPendingReads(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := d.echo(t)
	var reads []*rpc.Call
	for range 10 {
		reads = append(reads, s.Go("pty.Read", 1, new([]byte), nil))
	}
	s.answers()
	var res CommandExecResult
	if err := await(t, "Exec", s.Go("pty.Exec", sh("echo x"), &res, nil)); err != nil {
		t.Error(err)
	}
	s.write("01234")
	got := ""
	for _, r := range reads[:5] {
		if err := await(t, "Read", r); err != nil {
			t.Error(err)
		}
		got += string(*r.Reply.(*[]byte))
	}
	if got != "01234" { // whoever asked first is served first
		t.Errorf("read %q", got)
	}
	stop := s.Go("pty.Stop", empty, &empty, nil)
	for _, r := range reads[5:] {
		if err := await(t, "Read", r); err == nil {
			t.Errorf("Read after Stop gave %q", r.Reply)
		} else if e := err.Error(); e != "EOF" && !strings.HasPrefix(e, "read /dev/ptmx: ") {
			t.Errorf("Read after Stop: %q", e)
		}
	}
	if err := await(t, "Stop", stop); err != nil {
		t.Error(err)
	}
}

// Start, Writes and Reads need not wait for one another's answers.
func TestPipelinedStart(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	g := d.raw(t, requestType, defineStruct(reqID, field{"Name", idString}),
		call(1, "pty.Start"), message(reqID, []byte{1}, gobString("cat"), []byte{0}),
		call(2, "pty.Write"), message(idBytes, []byte{0}, gobString("hi\n")),
		call(3, "pty.Stop"), message(reqID, []byte{0}),
		call(4, "pty.Start"), message(reqID, []byte{1}, gobString("cat"), []byte{0}),
		call(5, "pty.Start"), message(reqID, []byte{1}, gobString("cat"), []byte{0}))
	g.expect(t, 1, "", &empty)
	var n int
	if g.expect(t, 2, "", &n); n != 3 {
		t.Errorf("wrote %d", n)
	}
	g.expect(t, 3, "", &empty)
	g.expect(t, 4, "", &empty)
	g.expect(t, 5, "a pty session is already running", &empty)
}

func TestWriteSizes(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := d.echo(t)
	for _, size := range []int{0, 1, 127, 128, 4070, 4095, 4096, 65536, 1 << 20, 3 << 19} {
		in := bytes.Repeat([]byte("z"), size)
		n := -1
		write := s.Go("pty.Write", in, &n, nil)
		for got := 0; got < size; {
			var b []byte
			if err := await(t, fmt.Sprintf("Read at %d of %d", got, size), s.Go("pty.Read", 65536, &b, nil)); err != nil {
				t.Fatal(err)
			}
			got += len(b)
		}
		if err := await(t, "Write", write); err != nil || n != size {
			t.Errorf("%d: %d, %v", size, n, err)
		}
	}
}

// Input that nobody takes delays nothing else, be it much or little.
func TestBlockedWrite(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100 << 10, 3 << 19} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			d := startDaemon(t)
			s := d.deaf(t, d.dir+"/pid")
			pid := waitForFile(t, d.dir+"/pid")
			write := s.Go("pty.Write", make([]byte, size), new(int), nil)
			s.answers()
			if err := await(t, "Stop", s.Go("pty.Stop", empty, &empty, nil)); err != nil {
				t.Error(err)
			}
			_ = await(t, "Write", write) // with or without an error
			waitForDeath(t, pid)
		})
	}
}

// What was typed for a shell that has ended fails, though its output is not read
// yet, and is not tried again and again.
func TestBlockedWriteEnded(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := d.shell(t, CommandReq{Name: "sh", Arg: []string{"-c",
		"stty raw -echo; echo $$ >" + d.dir + "/pid; exec seq 1 10000000"}})
	pid := waitForFile(t, d.dir+"/pid")
	write := s.Go("pty.Write", make([]byte, 100<<10), new(int), nil)
	s.answers()
	check(t, syscall.Kill(must(strconv.Atoi(pid))(t), syscall.SIGKILL))
	wantWhy(t, await(t, "Write", write), "input/output error")
	s.answers()
}

// Nor does it keep the shell alive when the client goes.
func TestBlockedWriteDisconnect(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100 << 10, 3 << 19} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			d := startDaemon(t)
			s := d.deaf(t, d.dir+"/pid")
			pid := waitForFile(t, d.dir+"/pid")
			s.Go("pty.Write", make([]byte, size), new(int), nil)
			time.Sleep(300 * time.Millisecond)
			_ = s.Close()
			waitForDeath(t, pid)
		})
	}
}

// Three MiB typed ahead while the echo is read all the time.
func TestTypedAhead(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := d.echo(t)
	const pieces, size = 768, 4096
	go func() {
		for i := range pieces {
			s.Go("pty.Write", bytes.Repeat([]byte{byte(i)}, size), new(int), nil)
		}
	}()
	for got := 0; got < pieces*size; {
		var b []byte
		if err := await(t, fmt.Sprintf("Read at %d", got), s.Go("pty.Read", 32768, &b, nil)); err != nil {
			t.Fatal(err)
		}
		for i := range b {
			if b[i] != byte((got+i)/size) {
				t.Fatalf("byte %d is of piece %d", got+i, b[i])
			}
		}
		got += len(b)
	}
}

// After its end a terminal keeps saying so, and the connection serves on.
func TestAfterTheEnd(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := d.shell(t, CommandReq{Name: "sh", Arg: []string{"-c", "seq 1 100000"}})
	out, first := s.end()
	if !strings.HasPrefix(out, "1\r\n2\r\n") || !strings.HasSuffix(out, "\r\n100000\r\n") || len(out) != 688895 {
		t.Errorf("%d bytes of output", len(out))
	}
	var b []byte
	for range 3 {
		wantError(t, await(t, "Read", s.Go("pty.Read", 1, &b, nil)), first.Error())
	}
	_ = await(t, "Write", s.Go("pty.Write", []byte("x"), new(int), nil))
	_ = await(t, "SetPtySize", s.Go("pty.SetPtySize", WinSize{Rows: 1}, &empty, nil))
	if err := await(t, "Ping", s.Go("pty.Ping", empty, &empty, nil)); err != nil {
		t.Error(err)
	}
	if err := await(t, "Stop", s.Go("pty.Stop", empty, &empty, nil)); err != nil {
		t.Error(err)
	}
	wantError(t, await(t, "Read", s.Go("pty.Read", 1, &b, nil)), "no active pty session")
}

// A shell's end is the end although a child of it holds the terminal.
func TestEndWithChildLeft(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	s := d.shell(t, CommandReq{Name: "sh", Arg: []string{"-c", "trap '' HUP; sleep 30 & echo gone"}})
	done := make(chan string, 1)
	go func() {
		out, _ := s.end()
		done <- out
	}()
	select {
	case out := <-done:
		if out != "gone\r\n" {
			t.Errorf("said %q", out)
		}
	case <-time.After(25 * time.Second):
		t.Error("Read does not end")
	}
}
