// SPDX-License-Identifier: ISC

package interop

// The control socket: no Noise, and the whitelist service beside the pty.

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/rpc"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// PK is a public key on the wire: a BinaryMarshaler, checked on arrival.
type PK [33]byte

// MarshalBinary and UnmarshalBinary are what gob uses.
func (k PK) MarshalBinary() ([]byte, error) { return k[:], nil }

func (k *PK) UnmarshalBinary(b []byte) error {
	if _, err := secp256k1.ParsePubKey(b); err != nil || len(b) != len(k) {
		return errors.New("not a public key")
	}
	copy(k[:], b)
	return nil
}

// MarshalText is there as well in the original, and must not be used.
func (k PK) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(k[:])), nil }

func (d *daemon) control(t testing.TB, uri string) (net.Conn, byte, error) {
	t.Helper()
	c, err := net.Dial("unix", filepath.Join(d.dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	answer, err := Open(c, uri)
	return c, answer, err
}

func (d *daemon) controlRPC(t testing.TB, uri string) *rpc.Client {
	t.Helper()
	c, answer, err := d.control(t, uri)
	if err != nil || answer != 0 {
		t.Fatalf("mux: %d, %v", answer, err)
	}
	return rpc.NewClient(c)
}

// wantList checks the list as the service and as the file tell it.
func (d *daemon) wantList(t testing.TB, c *rpc.Client, want ...Key) {
	t.Helper()
	var keys []PK
	if err := c.Call("whitelist.Whitelist", empty, &keys); err != nil {
		t.Fatal(err)
	}
	if len(keys) != len(want) {
		t.Errorf("%d keys, want %d", len(keys), len(want))
	}
	for _, k := range want {
		if !strings.Contains(joinHex(keys), k.Hex()) {
			t.Errorf("%s is missing", k.Hex())
		}
	}
	var file struct {
		SK string   `json:"sk"`
		WL []string `json:"wl"`
	}
	text, _ := os.ReadFile(filepath.Join(d.dir, "host.json"))
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if file.SK != d.key.SK() || len(file.WL) != len(want) {
		t.Errorf("the file holds %s", text)
	}
	for _, k := range want {
		if !strings.Contains(strings.Join(file.WL, " "), k.Hex()) {
			t.Errorf("%s is not in the file", k.Hex())
		}
	}
}

func joinHex(keys []PK) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(hex.EncodeToString(k[:]) + " ")
	}
	return b.String()
}

// letsIn asks for a key what the host says to it now.
func (d *daemon) letsIn(t testing.TB, k Key) bool {
	t.Helper()
	answer, err := Open(d.dial(t, k, Payloads{}), "dmsgpty/pty")
	if err != nil && err != io.EOF {
		t.Error(err)
	}
	return err == nil && answer == 0
}

func TestWhitelist(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := d.controlRPC(t, "dmsgpty/whitelist")
	a, b := NewKey(), NewKey()
	d.wantList(t, c, d.client)
	if d.letsIn(t, a) {
		t.Error("let in too early")
	}
	call := func(method string, keys ...Key) error {
		list := []PK{}
		for _, k := range keys {
			list = append(list, PK(k.PK))
		}
		return c.Call("whitelist."+method, list, &empty)
	}
	if err := call("WhitelistAdd", a); err != nil {
		t.Error(err)
	}
	d.wantList(t, c, d.client, a)
	if !d.letsIn(t, a) {
		t.Error("not let in")
	}
	wantError(t, call("WhitelistAdd", a, b, d.client),
		"skipping append for "+a.Hex()+","+d.client.Hex()+". Already exists")
	d.wantList(t, c, d.client, a, b)
	if err := call("WhitelistRemove", a, NewKey()); err != nil {
		t.Error(err)
	}
	d.wantList(t, c, d.client, b)
	if d.letsIn(t, a) || !d.letsIn(t, b) {
		t.Error("the wrong one was removed")
	}
	if err := call("WhitelistRemove", b, d.client); err != nil {
		t.Error(err)
	}
	d.wantList(t, c)
	if d.letsIn(t, d.client) {
		t.Error("an empty list lets somebody in")
	}
	if err := call("WhitelistAdd"); err != nil {
		t.Error(err)
	}
	d.wantList(t, c)
	// What is removed and gets in all the same is no success.
	if err := call("WhitelistAdd", a); err != nil {
		t.Error(err)
	}
	wantError(t, call("WhitelistRemove", d.key, a),
		d.key.Hex()+" still gets in: it is the host's own key, which is always let in")
	d.wantList(t, c)
	wantError(t, c.Call("pty.Ping", empty, &empty), "rpc: can't find service pty.Ping")
	wantError(t, c.Call("whitelist.X", empty, &empty), "rpc: can't find method whitelist.X")
}

// Bytes that are no key fail the call and leave the list alone.
func TestWhitelistBadKeys(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	type Bad struct{ PK }
	c := d.controlRPC(t, "dmsgpty/whitelist")
	for name, arg := range map[string]any{
		"zeros":       []Bad{{}},
		"no point":    []Bad{{PK(append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...))}},
		"byte slices": [][]byte{d.key.PK[:]},
		"text":        []string{d.key.Hex()},
		"one key":     Bad{PK(d.key.PK)},
		"mixed":       []Bad{{PK(NewKey().PK)}, {}},
	} {
		err := c.Call("whitelist.WhitelistAdd", arg, &empty)
		if err == nil {
			t.Errorf("%s was added", name)
		}
		d.wantList(t, c, d.client)
	}
	if err := c.Call("whitelist.WhitelistAdd", []Bad{{PK(d.key.PK)}}, &empty); err != nil {
		t.Errorf("a good key of another type: %v", err)
	}
}

// The pty service is the same there, with nobody's key.
func TestControlPty(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := d.controlRPC(t, "/dmsgpty/pty")
	var res CommandExecResult
	if err := c.Call("pty.Exec", sh("echo x; exit 3"), &res); err != nil || res.ExitCode != 3 {
		t.Error(err, res)
	}
	s := &shell{Client: c, t: t}
	if err := c.Call("pty.Start", CommandReq{Name: "cat"}, &empty); err != nil {
		t.Fatal(err)
	}
	s.write("hello\n")
	s.until("hello\r\nhello\r\n")
	wantError(t, c.Call("whitelist.Whitelist", empty, &empty), "rpc: can't find service whitelist.Whitelist")
}

func TestControlMux(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	for _, uri := range []string{"dmsgpty/sftp", "dmsgpty/exec-stream", "dmsgpty/whitelist/", ""} {
		c, answer, err := d.control(t, uri)
		if err != nil || answer != 1 {
			t.Errorf("%q: %d, %v", uri, answer, err)
		}
		silence(t, c)
	}
	// What fails behind the proxy fails without a byte.
	for _, query := range []string{"", "?pk=1", "?port=22", "?pk=" + NewKey().Hex() + "&port=99999",
		"?pk=" + NewKey().Hex() + "&port=22"} {
		c, answer, err := d.control(t, "dmsgpty/proxy"+query)
		if err != io.EOF {
			t.Errorf("proxy%s: %d, %v", query, answer, err)
		}
		_ = c.Close()
	}
	d.serves(t)
}
