// SPDX-License-Identifier: ISC

package interop

// A discovery that is itself on dmsg: nothing but seed servers is known.

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
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
