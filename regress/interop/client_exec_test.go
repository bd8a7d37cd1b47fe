// SPDX-License-Identifier: ISC

package interop

// What skypty exec asks for, and what it makes of the answers.

import (
	"bytes"
	"errors"
	"io"
	"net/rpc"
	"reflect"
	"strings"
	"testing"
)

// execStub answers every Exec alike and shows what was asked.
type execStub struct {
	reply CommandExecResult
	err   error
	seen  chan CommandExecReq
}

// Exec is the method.
func (e *execStub) Exec(r CommandExecReq, res *CommandExecResult) error {
	select {
	case e.seen <- r:
	default:
	}
	*res = e.reply
	return e.err
}

// serveStub serves a pty service that is none.
func serveStub(t testing.TB, service any) string {
	return wildService(t, func(c *Conn) {
		s := rpc.NewServer()
		if err := s.RegisterName("pty", service); err != nil {
			panic(err)
		}
		s.ServeConn(c)
	})
}

func TestClientExecStatus(t *testing.T) {
	t.Parallel()
	timedOut := "[timed out after 1234ms]"
	for _, c := range []struct {
		reply  CommandExecResult
		err    error
		out    string
		errs   []string
		status int
	}{
		{CommandExecResult{}, nil, "", nil, 0},
		{CommandExecResult{ExitCode: 1}, nil, "", nil, 1},
		{CommandExecResult{ExitCode: 255}, nil, "", nil, 255},
		{CommandExecResult{ExitCode: -1}, nil, "", nil, 255},
		{CommandExecResult{ExitCode: -1, Stderr: []byte("x\ndmsgpty: exec x: exec: \"x\": executable file not found in $PATH\n")},
			nil, "", []string{"not found"}, 127},
		{CommandExecResult{ExitCode: -1, Stderr: []byte("dmsgpty: exec /x: fork/exec /x: no such file or directory\n")},
			nil, "", []string{"no such"}, 127},
		{CommandExecResult{ExitCode: -1, Stderr: []byte("dmsgpty: exec /x: fork/exec /x: permission denied\n")},
			nil, "", []string{"denied"}, 126},
		{CommandExecResult{ExitCode: -1, Stderr: []byte("dmsgpty: exec permission denied: too bad\n")},
			nil, "", []string{"too bad"}, 255},
		{CommandExecResult{ExitCode: -1, Stderr: []byte("no such file or directory\n")}, nil, "", []string{"no such"}, 255},
		{CommandExecResult{ExitCode: -1, TimedOut: true, DurationMS: 1234, Stdout: []byte("some")},
			nil, "some", []string{timedOut}, 124},
		{CommandExecResult{StdoutTruncated: true, Stdout: []byte("cut")},
			nil, "cut", []string{"[stdout truncated at 16MiB]"}, 0},
		{CommandExecResult{StderrTruncated: true, StdoutTruncated: true, ExitCode: 3, Stderr: []byte("cut\n")},
			nil, "", []string{"cut\n", "[stdout truncated at 16MiB]", "[stderr truncated at 16MiB]"}, 3},
		{CommandExecResult{Stdout: []byte("a\x00\x1b[31m\xff")}, nil, "a\x00\x1b[31m\xff", nil, 0},
		{CommandExecResult{}, errors.New("EOF"), "", []string{"EOF"}, 255},
		{CommandExecResult{}, errors.New("a\nb\x07"), "", []string{"skypty: "}, 255},
	} {
		dest := serveStub(t, &execStub{reply: c.reply, err: c.err})
		got := skypty(t, nil, "exec", "--no-visor-key", "tcp://"+dest, "--", "x")
		if got.out != c.out || got.status != c.status || (len(c.errs) == 0) != (got.err == "") {
			t.Errorf("%+v: got %+v", c, got)
		}
		for _, want := range c.errs {
			if !strings.Contains(got.err, want) {
				t.Errorf("%+v: no %q in %q", c.reply, want, got.err)
			}
		}
		if strings.Contains(got.err, "\x07") {
			t.Errorf("a bell rings: %q", got.err)
		}
	}
	// Numbers that are no status are no success.
	for _, code := range []int{256, 512, farInt, -2, -256, -farInt} {
		dest := serveStub(t, &execStub{reply: CommandExecResult{ExitCode: code}})
		got := skypty(t, nil, "exec", "--no-visor-key", "tcp://"+dest, "--", "x")
		if got.status == 0 || got.err == "" && code != -1 {
			t.Errorf("status %d: %+v", code, got)
		}
	}
}

func TestClientExecRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		args []string
		want CommandExecReq
	}{
		{"", []string{"--", "ls"}, CommandExecReq{Name: "ls", TimeoutMS: 30000}},
		{"", []string{"-t", "1500ms", "--", "ls", "-l", "", "a b", "--"},
			CommandExecReq{Name: "ls", Arg: []string{"-l", "", "a b", "--"}, TimeoutMS: 1500}},
		{"typed\n", []string{"-e", "A=1", "-e", "B=", "-t", "2m", "cat"},
			CommandExecReq{Name: "cat", Env: []string{"A=1", "B="}, Stdin: []byte("typed\n"), TimeoutMS: 120000}},
		{"ignored", []string{"--no-stdin", "--", "cat"}, CommandExecReq{Name: "cat", TimeoutMS: 30000}},
	} {
		stub := &execStub{seen: make(chan CommandExecReq, 1)}
		var flags, command []string
		for i, a := range c.args { // the destination comes before the command
			if a == "--" || a == "cat" {
				flags, command = c.args[:i], c.args[i:]
				break
			}
		}
		args := append(append([]string{"exec", "--no-visor-key"}, flags...), "tcp://"+serveStub(t, stub))
		got := skypty(t, strings.NewReader(c.in), append(args, command...)...)
		if got != (result{}) {
			t.Errorf("%v: %+v", c.args, got)
			continue
		}
		if r := <-stub.seen; !reflect.DeepEqual(r, c.want) {
			t.Errorf("%v: asked for %+v, want %+v", c.args, r, c.want)
		}
	}
}

// A mebibyte of input is as much as a host takes.
func TestClientExecInput(t *testing.T) {
	t.Parallel()
	stub := &execStub{seen: make(chan CommandExecReq, 1)}
	dest := serveStub(t, stub)
	in := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	run := func(in []byte) result {
		pipe, w := io.Pipe()
		go func() {
			for len(in) > 0 {
				n := min(len(in), 10000)
				if _, err := w.Write(in[:n]); err != nil {
					return
				}
				in = in[n:]
			}
			_ = w.Close()
		}()
		defer pipe.Close()
		return skypty(t, pipe, "exec", "--no-visor-key", "tcp://"+dest, "--", "cat")
	}
	if got := run(in); got != (result{}) {
		t.Fatalf("%+v", got)
	}
	if r := <-stub.seen; !bytes.Equal(r.Stdin, in) {
		t.Errorf("%d bytes of input arrived", len(r.Stdin))
	}
	if got := run(append(in, 0)); got.status == 0 || !strings.Contains(got.err, "1 MiB") {
		t.Errorf("more than a mebibyte: %+v", got)
	}
	select {
	case r := <-stub.seen:
		t.Errorf("it was asked for with %d bytes of input", len(r.Stdin))
	default:
	}
}

// As much output as there can be, both at once.
func TestClientExecOutput(t *testing.T) {
	t.Parallel()
	out := bytes.Repeat([]byte("0123456789abcde\n"), 1<<20)
	dest := serveStub(t, &execStub{reply: CommandExecResult{Stdout: out, Stderr: out[1:], ExitCode: 9}})
	got := skypty(t, nil, "exec", "--no-visor-key", "tcp://"+dest, "--", "x")
	if got.out != string(out) || got.err != string(out[1:]) || got.status != 9 {
		t.Errorf("%d and %d bytes, status %d", len(got.out), len(got.err), got.status)
	}
}

// A real hybrid is offered to nobody who did not ask, and nobody minds.
func TestClientAndHybridHost(t *testing.T) {
	t.Parallel()
	dest := goHost(t, &Host{Payloads: Payloads{PQ: true}})
	if got := skypty(t, nil, "exec", "--no-visor-key", "tcp://"+dest, "--", "echo", "x"); got != (result{"x\n", "", 0}) {
		t.Errorf("%+v", got)
	}
}
