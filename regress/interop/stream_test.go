// SPDX-License-Identifier: ISC

package interop

// The same bytes in other segments: all at once, one by one, cut off.

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"net/rpc"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// held keeps what is written until somebody waits for an answer.
type held struct {
	net.Conn
	kept bytes.Buffer
}

func (h *held) Write(p []byte) (int, error) { return h.kept.Write(p) }

func (h *held) flush() error {
	_, err := h.Conn.Write(h.kept.Bytes())
	h.kept.Reset()
	return err
}

func (h *held) Read(p []byte) (int, error) {
	if err := h.flush(); err != nil {
		return 0, err
	}
	return h.Conn.Read(p)
}

// Message 3, the mux request and 64 KiB of calls in one segment.
func TestOneSegment(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	tcp := &held{Conn: d.tcp(t)}
	c, err := Dial(tcp, d.client, d.key.PK[:], Payloads{PQ: true})
	if err != nil {
		t.Fatal(err)
	}
	uri := "dmsgpty/pty"
	_, _ = c.Write(join([]byte{byte(len(uri))}, []byte(uri), requestType))
	calls := uint64(0)
	for tcp.kept.Len() < 65536 {
		calls++
		_, _ = c.Write(pingCall(calls))
	}
	var answer [1]byte
	if _, err := io.ReadFull(c, answer[:]); err != nil || answer[0] != 0 {
		t.Fatal(answer, err)
	}
	c.Conn = tcp.Conn
	g := newPeer(c)
	for i := range calls {
		g.expect(t, i+1, "", &empty)
	}
}

// Sixty-four KiB of calls in as few frames as they fit, several times.
func TestBurst(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	g := d.raw(t, requestType)
	tcp := &held{Conn: g.Conn.Conn}
	g.Conn.Conn = tcp
	seq := uint64(0)
	for range 8 {
		var burst []byte
		first := seq
		for len(burst) < 65536 {
			seq++
			burst = append(burst, pingCall(seq)...)
		}
		_, _ = g.Write(burst)
		for i := first; i < seq; i++ {
			g.expect(t, i+1, "", &empty)
		}
	}
}

// A whole session of single bytes, in both layers.
func TestSingleBytes(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	tcp := d.tcp(t)
	c, err := Dial(&dribble{tcp}, d.client, d.key.PK[:], Payloads{})
	if err != nil {
		t.Fatal(err)
	}
	c.Piece = 7
	if answer, err := Open(c, "dmsgpty/pty"); err != nil || answer != 0 {
		t.Fatal(answer, err)
	}
	client := rpc.NewClient(c)
	in := bytes.Repeat([]byte("0123456789"), 100)
	var res CommandExecResult
	err = client.Call("pty.Exec", CommandExecReq{Name: "cat", Stdin: in}, &res)
	if err != nil || !bytes.Equal(res.Stdout, in) {
		t.Errorf("%v, %+v", err, res)
	}
}

// Values of Go's own library that marshal themselves are unknown fields too.
func TestForeignTypes(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	type list struct {
		Next *list
		V    any // nil is not sent; an interface that is, is nobody's duty
	}
	type exec struct {
		Big  *big.Int
		Addr netip.AddrPort
		When []time.Time
		Name string
		List *list
		Last map[netip.Addr]*big.Float
		Arg  []string
	}
	g := d.gob(t)
	addr := netip.MustParseAddr("::1")
	for i := range uint64(3) {
		_ = g.enc.Encode(request{Seq: i + 1, ServiceMethod: "pty.Exec"})
		_ = g.enc.Encode(exec{Big: big.NewInt(1 << 62), Addr: netip.AddrPortFrom(addr, 22),
			When: []time.Time{time.Now(), {}}, Name: "echo", Arg: []string{fmt.Sprint(i)},
			List: &list{Next: &list{Next: &list{}}},
			Last: map[netip.Addr]*big.Float{addr: big.NewFloat(1.5)}})
		var res CommandExecResult
		g.expect(t, i+1, "", &res)
		if string(res.Stdout) != fmt.Sprintln(i) {
			t.Errorf("%+v", res)
		}
	}
}

// children counts the daemon's processes.
func (d *daemon) children() int {
	n := 0
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, _ := os.ReadFile(path)
		_, rest, _ := strings.Cut(string(b), ") ")
		var state string
		var parent int
		_, _ = fmt.Sscan(rest, &state, &parent)
		if parent == d.pid {
			n++
		}
	}
	return n
}

// descriptors counts its open files.
func (d *daemon) descriptors() int {
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", d.pid))
	return len(fds)
}

// cut passes on so many bytes and then hangs up.
type cut struct {
	net.Conn
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	if len(p) >= c.left {
		_, _ = c.Conn.Write(p[:c.left])
		_ = c.Close()
		return 0, io.ErrClosedPipe
	}
	c.left -= len(p)
	return c.Conn.Write(p)
}

// A client that vanishes after any byte leaves nothing behind.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := d.open(t)
	if d.children() == 0 {
		t.Fatal("a connection without a process: what does this test count?")
	}
	_ = c.Close()
	quiet := func() bool { return d.children() == 0 }
	waitFor(t, "no connection", quiet)
	before := d.descriptors()
	talk := func(limit int) bool {
		tcp := d.tcp(t)
		defer tcp.Close()
		c, err := Dial(&cut{tcp, limit}, d.client, d.key.PK[:], Payloads{})
		if err != nil {
			return false
		}
		if _, err := Open(c, "dmsgpty/pty"); err != nil {
			return false
		}
		var res CommandExecResult
		return rpc.NewClient(c).Call("pty.Exec", CommandExecReq{Name: "true"}, &res) == nil
	}
	limit := 0
	for ; !talk(limit); limit += 3 {
		if limit > 2000 {
			t.Fatal("never came through")
		}
	}
	if limit < 300 {
		t.Errorf("came through with %d bytes", limit)
	}
	waitFor(t, "no connection", quiet)
	if after := d.descriptors(); after != before {
		t.Errorf("%d descriptors, there were %d", after, before)
	}
	d.serves(t)
}

func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for range 6000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("waited in vain for %s", what)
}
