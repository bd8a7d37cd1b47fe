// SPDX-License-Identifier: ISC

package interop

// skypty with a Go host's control socket.

import (
	"errors"
	"io"
	"net"
	"net/rpc"
	"path/filepath"
	"strings"
	"testing"
)

// listService is the whitelist as Go keeps it.
type listService struct{ keys []PK }

// Whitelist, and the others, are the methods.
func (l *listService) Whitelist(_ struct{}, keys *[]PK) error {
	*keys = l.keys
	return nil
}

func (l *listService) WhitelistAdd(keys []PK, _ *struct{}) error {
	for _, k := range keys {
		for _, old := range l.keys {
			if old == k {
				return errors.New("skipping append for " + strings.TrimSpace(joinHex([]PK{k})) + ". Already exists")
			}
		}
		l.keys = append(l.keys, k)
	}
	return nil
}

func (l *listService) WhitelistRemove(keys []PK, _ *struct{}) error {
	var left []PK
	for _, old := range l.keys {
		if !strings.Contains(joinHex(keys), joinHex([]PK{old})) {
			left = append(left, old)
		}
	}
	l.keys = left
	return nil
}

// goControl serves the whitelist and a pty on a socket.
func goControl(t testing.TB, list *listService) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	serve := func(c net.Conn) {
		defer c.Close()
		var n [1]byte
		_, _ = io.ReadFull(c, n[:])
		uri := make([]byte, n[0])
		_, _ = io.ReadFull(c, uri)
		s := rpc.NewServer()
		switch withoutQuery(string(uri)) {
		case "dmsgpty/whitelist":
			_ = s.RegisterName("whitelist", list)
		case "dmsgpty/pty":
			g := &gateway{host: &Host{}}
			defer func() { _ = g.stop() }()
			_ = s.RegisterName("pty", g)
		default:
			_, _ = c.Write([]byte{1})
			return
		}
		_, _ = c.Write([]byte{0})
		s.ServeConn(c)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return path
}

func TestClientWhitelist(t *testing.T) {
	t.Parallel()
	a, b := NewKey(), NewKey()
	list := &listService{}
	path := goControl(t, list)
	step := func(want result, command string, keys ...Key) {
		t.Helper()
		args := []string{command, "-r", path}
		for _, k := range keys {
			args = append(args, k.Hex())
		}
		got := skypty(t, nil, args...)
		if got.out != want.out || got.status != want.status || !strings.Contains(got.err, want.err) {
			t.Errorf("%v: %+v, want %+v", args, got, want)
		}
	}
	step(result{}, "whitelist")
	step(result{}, "whitelist-add", a, b)
	step(result{a.Hex() + "\n" + b.Hex() + "\n", "", 0}, "whitelist")
	step(result{"", "skipping append for " + a.Hex(), 1}, "whitelist-add", a)
	absent := NewKey()
	step(result{"", absent.Hex() + " is not on the whitelist", 1}, "whitelist-remove", a, absent)
	step(result{b.Hex() + "\n", "", 0}, "whitelist")
}

func TestClientControlPty(t *testing.T) {
	t.Parallel()
	path := goControl(t, &listService{})
	got := skypty(t, strings.NewReader("in"), "exec", "-r", path, "--", "sh", "-c", "cat; exit 4")
	if got != (result{"in", "", 4}) {
		t.Errorf("exec: %+v", got)
	}
	c := onTerminal(t, "shell", "-r", path, "-c", "/bin/sh")
	c.send("echo $TERM; stty size; exit\r")
	c.until("vt220\r\n31 97\r\n")
	if s := c.status(); s != 0 {
		t.Errorf("shell: status %d", s)
	}
}
