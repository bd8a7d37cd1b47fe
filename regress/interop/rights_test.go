// SPDX-License-Identifier: ISC

package interop

// What a Go client hears of rights that its key does not have, and what our
// client says of a host that knows of no users.

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// restricted runs a daemon whose client has the line of authorized_pks.
func restricted(t testing.TB, options string) *daemon {
	t.Helper()
	pks := filepath.Join(t.TempDir(), "authorized_pks")
	d := startDaemonWith(t, map[string]any{"wl": []string{}, "authorized_pks": pks})
	check(t, os.WriteFile(pks, []byte(options+" "+d.client.Hex()+"\n"), 0o600))
	return d
}

func (d *daemon) answer(t testing.TB, uri string) byte {
	t.Helper()
	return must(Open(d.dial(t, d.client, Payloads{}), uri))(t)
}

func wantWhy(t testing.TB, err error, why string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("%v, wanted %q", err, why)
	}
}

func TestRightsRefused(t *testing.T) {
	t.Parallel()
	d := restricted(t, "restrict")
	c := d.rpc(t)
	wantWhy(t, c.Call("pty.Start", CommandReq{Name: "/bin/sh"}, nil), "may not open a terminal")
	var res CommandExecResult
	wantWhy(t, c.Call("pty.Exec", CommandExecReq{Name: "true"}, &res), "may not run commands")
	// Both are answers, and the connection goes on.
	check(t, c.Call("pty.Ping", struct{}{}, nil))
	for _, uri := range []string{SFTPURI, "dmsgpty/exec-stream", "dmsgpty/exec", "skypty/1/exec"} {
		if a := d.answer(t, uri); a != 1 {
			t.Errorf("%s: %d", uri, a)
		}
	}
	if a := d.answer(t, "skypty/1/as/nobody/dmsgpty/pty"); a != 1 {
		t.Errorf("as nobody: %d", a)
	}
}

func TestRightsAllowed(t *testing.T) {
	t.Parallel()
	d := restricted(t, "restrict,exec")
	if res := d.exec(t, CommandExecReq{Name: "echo", Arg: []string{"x"}}); string(res.Stdout) != "x\n" {
		t.Errorf("%+v", res)
	}
	d = restricted(t, `restrict,command="echo forced $SSH_ORIGINAL_COMMAND"`)
	res := d.exec(t, CommandExecReq{Name: "rm", Arg: []string{"-rf", "a b"}, Env: []string{"SSH_ORIGINAL_COMMAND=lie"}})
	if string(res.Stdout) != "forced rm -rf a b\n" && string(res.Stdout) != "forced rm -rf 'a b'\n" {
		t.Errorf("%+v", res)
	}
}

func TestClientUserUnknown(t *testing.T) {
	t.Parallel()
	dest := goHost(t, &Host{SFTP: true})
	for _, args := range [][]string{
		{"exec", "-l", "alice", "tcp://" + dest, "--", "echo", "x"},
		{"shell", "--no-visor-key", "-l", "alice", dest},
		{"exec", "alice@" + dest, "--", "echo", "x"},
		{"cp", "-l", "alice", dest + ":/etc/hostname", filepath.Join(t.TempDir(), "x")},
	} {
		got := skypty(t, nil, args...)
		if got.status != 255 || got.out != "" || !strings.Contains(got.err, "knows of no users") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}
