// SPDX-License-Identifier: ISC

package interop

// Streams over dmsg: through servers of our own, between Go clients and the C
// programs.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// overlay is a discovery and its servers.
type overlay struct {
	disc    *Discovery
	http    *httptest.Server
	servers []*DmsgServer
	addrs   []string
	lns     []net.Listener
}

func newOverlay(t testing.TB, servers int) *overlay {
	t.Helper()
	o := &overlay{disc: NewDiscovery()}
	o.http = httptest.NewServer(o.disc)
	t.Cleanup(o.http.Close)
	for range servers {
		o.addServer(t, &DmsgServer{Key: NewKey()})
	}
	return o
}

var serversMade atomic.Int32

func (o *overlay) addServer(t testing.TB, s *DmsgServer) {
	t.Helper()
	// Of addresses of its own nobody takes the port while it is away.
	n := serversMade.Add(1)
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 16+os.Getpid()%200, n>>8, n&255))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); s.Cut() })
	go s.Serve(l)
	o.servers = append(o.servers, s)
	o.addrs = append(o.addrs, l.Addr().String())
	o.lns = append(o.lns, l)
	o.disc.AddServer(s.Key.PK, l.Addr().String())
}

func (o *overlay) client(t testing.TB, k Key, server int) *DmsgClient {
	t.Helper()
	c := &DmsgClient{Key: k}
	if err := c.DialServer(o.addrs[server], o.servers[server].Key.PK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	eventually(t, "the client's session", func() bool { return o.servers[server].Has(k.PK) })
	return c
}

// serveOne has a host of ours take one stream, and end it behind that.
func serveOne(c *DmsgClient, serve func(*Conn)) {
	if conn, _, err := c.Accept(); err == nil {
		serve(conn)
		conn.Close()
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

// dmsgHost is skyptyd on dmsg.
type dmsgHost struct {
	key, client Key
	cmd         *exec.Cmd
	sock        string
	mu          sync.Mutex
	log         bytes.Buffer
}

func (h *dmsgHost) said(text string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Contains(h.log.String(), text)
}

func (o *overlay) host(t testing.TB, more map[string]any) *dmsgHost {
	t.Helper()
	h := &dmsgHost{key: NewKey(), client: NewKey()}
	dir := t.TempDir()
	h.sock = filepath.Join(dir, "s")
	keys := map[string]any{"sk": h.key.SK(), "wl": []string{h.client.Hex()},
		"dmsgdisc": o.http.URL, "dmsgsessions": len(o.servers), "dmsgport": 22,
		"cliaddr": h.sock}
	for k, v := range more {
		keys[k] = v
	}
	conf, _ := json.Marshal(keys)
	path := filepath.Join(dir, "host.json")
	if err := os.WriteFile(path, conf, 0o600); err != nil {
		t.Fatal(err)
	}
	h.cmd = exec.Command(program(t, "SKYPTYD", "skyptyd"), "dmsg", "-c", path)
	stderr, err := h.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			h.mu.Lock()
			h.log.WriteString(lines.Text() + "\n")
			h.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		h.stop()
		if t.Failed() {
			h.mu.Lock()
			t.Logf("skyptyd:\n%s", h.log.String())
			h.mu.Unlock()
		}
	})
	return h
}

func (h *dmsgHost) stop() {
	if h.cmd.ProcessState == nil {
		interrupt(h.cmd)
	}
}

func (h *dmsgHost) ready(t testing.TB) *dmsgHost {
	t.Helper()
	eventually(t, "the host on dmsg", func() bool { return h.said("Reachable over dmsg") })
	return h
}

// strangers is what a session is told of two ends without addresses.
func strangers(peer, host Key) string {
	address := func(k Key) string {
		a := [16]byte{0: 1}
		copy(a[8:], k.PK[1:9])
		return netip.AddrFrom16(a).String()
	}
	return fmt.Sprintf("%s 65535 65535 %s 65535 %s 65535\n", address(peer), address(peer), address(host))
}

func execOver(c *Conn, name string, arg ...string) (string, error) {
	answer, err := Open(c, "dmsgpty/pty")
	if err != nil || answer != 0 {
		return "", &net.AddrError{Err: "mux", Addr: string(rune('0' + answer))}
	}
	r := rpc.NewClient(c)
	defer r.Close()
	var res CommandExecResult
	err = r.Call("pty.Exec", CommandExecReq{Name: name, Arg: arg}, &res)
	return string(res.Stdout), err
}

func TestDmsgGoToGo(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	a, b := o.client(t, NewKey(), 0), o.client(t, NewKey(), 0)
	go func() {
		for {
			c, _, err := b.Accept()
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	c, err := a.DialStream(b.Key.PK, 22)
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("0123456789"), 100000)
	go c.Write(want)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Fatal("echo", err)
	}
}

func TestDmsgHost(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 2)
	h := o.host(t, nil).ready(t)
	e, ok := o.disc.Entry(h.key.PK)
	if !ok || e.Client == nil || len(e.Client.Delegated) == 0 {
		t.Fatalf("entry: %+v", e)
	}
	eventually(t, "both servers in the entry", func() bool {
		e, _ := o.disc.Entry(h.key.PK)
		return len(e.Client.Delegated) == 2
	})
	for i := range o.servers {
		c := o.client(t, h.client, i)
		for range 3 {
			st, err := c.DialStream(h.key.PK, 22)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := execOver(st, "echo", "over", "dmsg"); err != nil || out != "over dmsg\n" {
				t.Fatalf("%q, %v", out, err)
			}
			st.Close()
		}
		st, err := c.DialStream(h.key.PK, 22)
		if err != nil {
			t.Fatal(err)
		}
		out, err := execOver(st, "sh", "-c", "echo $SSH_CLIENT $SSH_CONNECTION")
		if want := strangers(h.client, h.key); err != nil || out != want {
			t.Errorf("surroundings: %q, %v, want %q", out, err, want)
		}
		st.Close()
		c.Close()
	}
	// What a newest dialer offers is taken, too.
	c := &DmsgClient{Key: h.client, PQ: true}
	if err := c.DialServer(o.addrs[0], o.servers[0].Key.PK); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	eventually(t, "a session", func() bool { return o.servers[0].Has(h.client.PK) })
	st, err := c.DialStream(h.key.PK, 22)
	if err != nil {
		t.Fatal(err)
	}
	if !st.Hybrid {
		t.Error("no ML-KEM")
	}
	if out, err := execOver(st, "echo", "pq"); err != nil || out != "pq\n" {
		t.Fatalf("%q, %v", out, err)
	}
	h.stop()
	eventually(t, "the entry's end", func() bool { _, ok := o.disc.Entry(h.key.PK); return !ok })
}
