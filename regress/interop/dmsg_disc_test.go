// SPDX-License-Identifier: ISC

package interop

// A discovery that is itself on dmsg: nothing but seed servers is known.

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// connListener gives connections that came otherwise to net/http.
type connListener struct{ c chan net.Conn }

func (l *connListener) Accept() (net.Conn, error) {
	c, ok := <-l.c
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (l *connListener) Close() error   { return nil }
func (l *connListener) Addr() net.Addr { return &net.TCPAddr{} }

// discoveryOverDmsg serves the discovery on port 80 of a key.
func (o *overlay) discoveryOverDmsg(t testing.TB) Key {
	t.Helper()
	k := NewKey()
	l := &connListener{make(chan net.Conn)}
	go http.Serve(l, o.disc)
	for i := range o.servers {
		c := o.client(t, k, i)
		go func() {
			for {
				conn, port, err := c.Accept()
				if err != nil {
					return
				}
				if port == 80 {
					l.c <- conn
				} else {
					conn.Close()
				}
			}
		}()
	}
	return k
}

func (o *overlay) seeds() (conf []map[string]any, flag string) {
	for i, s := range o.servers {
		conf = append(conf, map[string]any{"static": s.Key.Hex(),
			"server": map[string]any{"address": o.addrs[i]}})
		flag += fmt.Sprintf(" %s@%s", s.Key.Hex(), o.addrs[i])
	}
	return conf, strings.TrimSpace(flag)
}

func TestDmsgDiscoveryOverDmsg(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 2)
	disc := o.discoveryOverDmsg(t)
	seeds, flag := o.seeds()
	url := "dmsg://" + disc.Hex() + ":80"
	h := o.host(t, map[string]any{"dmsgdisc": url, "dmsg_servers": seeds}).ready(t)
	if e, ok := o.disc.Entry(h.key.PK); !ok || len(e.Client.Delegated) == 0 {
		t.Fatalf("entry: %+v", e)
	}
	out, errs, code := o.dmsgRun(t, h.client, []byte("x\n"), "exec", "--dmsgdisc", url,
		"--dmsg-servers", flag, h.key.Hex(), "--", "cat")
	if out != "x\n" || code != 0 {
		t.Fatalf("%q, %q, %d", out, errs, code)
	}
	h.stop()
	eventually(t, "the entry's end", func() bool { _, ok := o.disc.Entry(h.key.PK); return !ok })
}

// What the discovery sends over dmsg is nonsense, cut off, or does not come.
func TestDmsgDiscoveryBroken(t *testing.T) {
	t.Parallel()
	fast := fastTime(t, 10)
	o := newOverlay(t, 1)
	_, flag := o.seeds()
	for want, serve := range map[string]func(*Conn){
		"malformed data": func(c *Conn) { _, _ = io.WriteString(c, "SSH-2.0-x\r\n\r\n") },
		"its stream has failed": func(c *Conn) {
			_, _ = c.Conn.Write(append([]byte{0, 100}, make([]byte, 100)...))
		},
		"unexpected end of data": func(c *Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{") },
		"no answer":              func(c *Conn) { _, _ = io.Copy(io.Discard, c) },
	} {
		c := o.client(t, NewKey(), 0)
		go serveOne(c, serve)
		s := newSharer(t, o)
		s.env = fast
		a := s.attempt(t, NewKey(), "--dmsgdisc", "dmsg://"+c.Key.Hex()+":80", "--dmsg-servers", flag)
		_ = a.Wait()
		if a.ProcessState.ExitCode() != 255 || !strings.Contains(a.said.String(), ": "+want) {
			t.Errorf("%v, %q", a.ProcessState, a.said.String())
		}
	}
}

// A server at ::1: by an address of that kind alone, and by the second one of
// an entry whose first one is dead.
func TestDmsgIPv6(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here")
	}
	l.Close()
	for name, first := range map[string]string{"only": "", "second": "127.0.0.1:1"} {
		t.Run(name, func(t *testing.T) {
			o := newOverlay(t, 0)
			s := &DmsgServer{Key: NewKey()}
			l, err := net.Listen("tcp", "[::1]:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close(); s.Cut() })
			go s.Serve(l)
			o.disc.AddServer(s.Key.PK, l.Addr().String())
			if first != "" {
				o.disc.mu.Lock()
				o.disc.Entries[s.Key.Hex()].Server.Address = first
				o.disc.Entries[s.Key.Hex()].Server.AddressV6 = l.Addr().String()
				o.disc.mu.Unlock()
			}
			h := o.host(t, map[string]any{"dmsgsessions": 1}).ready(t)
			out, errs, code := o.dmsgRun(t, h.client, nil, "exec", h.key.Hex(), "--", "echo", "six")
			if out != "six\n" || code != 0 {
				t.Fatalf("%q, %q, %d", out, errs, code)
			}
		})
	}
}

// Our clock is five minutes behind the one that wrote our entry before.
func TestDmsgClockBehind(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	key := NewKey()
	ahead := time.Now().Add(5 * time.Minute).UnixNano()
	o.disc.mu.Lock()
	o.disc.Entries[key.Hex()] = DmsgEntry{Version: "0.0.1", Static: key.Hex(), Sequence: 7,
		Timestamp: ahead, Client: &DmsgEntryClient{Delegated: []string{}}}
	o.disc.mu.Unlock()
	h := o.host(t, map[string]any{"sk": key.SK()}).ready(t)
	e, ok := o.disc.Entry(key.PK)
	if !ok || e.Sequence <= 7 || e.Timestamp < ahead || len(e.Client.Delegated) != 1 {
		t.Fatalf("%+v", e)
	}
	out, errs, code := o.dmsgRun(t, h.client, nil, "exec", key.Hex(), "--", "echo", "late")
	if out != "late\n" || code != 0 {
		t.Fatalf("%q, %q, %d", out, errs, code)
	}
}
