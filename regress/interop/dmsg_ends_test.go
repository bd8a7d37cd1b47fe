// SPDX-License-Identifier: ISC

package interop

// Servers that end things in the middle of them, against skyptyd.

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// dmsgPID is the process that holds the sessions: a grandchild.
func (h *dmsgHost) dmsgPID(t testing.TB) string {
	t.Helper()
	of := map[string]string{}
	titles := map[string]string{}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		status, _ := os.ReadFile(dir + "/status")
		title, _ := os.ReadFile(dir + "/cmdline")
		if _, rest, ok := strings.Cut(string(status), "PPid:\t"); ok {
			pid := filepath.Base(dir)
			of[pid], _, _ = strings.Cut(rest, "\n")
			titles[pid] = string(title)
		}
	}
	for pid, parent := range of {
		if of[parent] == fmt.Sprint(h.cmd.Process.Pid) && strings.HasPrefix(titles[pid], "skyptyd: dmsg") {
			return pid
		}
	}
	t.Fatal("there is no process with the sessions")
	return ""
}

func header(kind, flags byte, id, length uint32) []byte {
	b := []byte{0, kind, 0, flags}
	b = binary.BigEndian.AppendUint32(b, id)
	return binary.BigEndian.AppendUint32(b, length)
}

// harms are what a server can do to a stream that somebody opens on it.
var harms = map[string]func(from *session, st net.Conn, id uint32){
	"reset": func(from *session, _ net.Conn, id uint32) {
		_, _ = from.raw.Write(header(1, 8, id, 0))
	},
	"end": func(_ *session, st net.Conn, _ uint32) { _ = st.Close() },
	"reset within data": func(from *session, st net.Conn, id uint32) {
		_, _ = st.Write([]byte{0xff, 0xff, 1, 2, 3})
		_, _ = from.raw.Write(append(header(0, 8, id, 4), "data"...))
	},
	"close": func(from *session, _ net.Conn, _ uint32) { _ = from.raw.Close() },
	"close within data": func(from *session, _ net.Conn, id uint32) {
		_, _ = from.raw.Write(append(header(0, 0, id, 1000), "data"...))
		_ = from.raw.Close()
	},
	"half close": func(from *session, _ net.Conn, _ uint32) {
		c := from.raw
		if b, ok := c.(*bufferedConn); ok {
			c = b.Conn
		}
		_ = c.(*net.TCPConn).CloseWrite()
	},
	"go away": func(from *session, _ net.Conn, _ uint32) {
		_, _ = from.raw.Write(header(3, 0, 0, 0))
	},
	"go away at fault": func(from *session, _ net.Conn, _ uint32) {
		_, _ = from.raw.Write(header(3, 0, 0, 1))
	},
	"garbage": func(from *session, _ net.Conn, _ uint32) {
		_, _ = from.raw.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	},
}

// The discovery is on dmsg; the host keeps one session and makes another one
// for a dial, with the server that does harm.
func TestDmsgServerEnds(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 3)
	disc := o.discoveryOverDmsg(t)
	seeds, _ := o.seeds()
	url := "dmsg://" + disc.Hex() + ":80"
	near := o.host(t, map[string]any{"dmsgdisc": url, "dmsg_servers": seeds, "dmsgsessions": 1}).ready(t)
	home := 0
	for i := range o.servers {
		if o.servers[i].Has(near.key.PK) {
			home = i
		}
	}
	evil, third := o.servers[(home+1)%3], o.servers[(home+2)%3]
	far := &Host{}
	o.goHost(t, far, (home+1)%3)
	var how atomic.Pointer[func(*session, net.Conn, uint32)]
	var done, all atomic.Int32
	evil.Harm = func(from *session, st net.Conn, to [33]byte) bool {
		h := how.Load()
		if h == nil || from.peer != near.key.PK || (to != disc.PK && all.Load() == 0) {
			return false
		}
		(*h)(from, st, st.(interface{ StreamID() uint32 }).StreamID())
		done.Add(1)
		time.Sleep(50 * time.Millisecond)
		return true
	}
	pid := near.dmsgPID(t)
	for name, harm := range harms {
		for _, whom := range []int32{0, 1} {
			// The session that is made for a dial, to begin with.
			how.Store(nil)
			_, errs, code := viaRun(t, nil, "exec", "--cliaddr", near.sock, far.Key.Hex(), "--", "true")
			if code != 0 || !evil.Has(near.key.PK) {
				t.Logf("%s: no session to harm: %d, %s", name, code, errs)
			}
			all.Store(whom)
			before := done.Load()
			how.Store(&harm)
			// Questions go over sessions in turn: some over the one that is harmed.
			for try := 0; try < 6 && done.Load() == before; try++ {
				x := far.Key.PK
				if whom == 0 {
					x = NewKey().PK
					o.disc.Put(DmsgEntry{Version: "0.0.1", Static: Key{PK: x}.Hex(), Sequence: 1, Timestamp: 1,
						Client: &DmsgEntryClient{Delegated: []string{NewKey().Hex(), third.Key.Hex()}}})
				}
				_, _, _ = viaRun(t, nil, "exec", "--cliaddr", near.sock, Key{PK: x}.Hex(), "--", "true")
			}
			if now := near.dmsgPID(t); now != pid {
				t.Fatalf("%s: the process with the sessions is another one: %s, not %s", name, now, pid)
			}
		}
	}
	how.Store(nil)
	if done.Load() < int32(len(harms)) {
		t.Errorf("harm was done %d times only", done.Load())
	}
	eventually(t, "its session", func() bool { return o.servers[home].Has(near.key.PK) || third.Has(near.key.PK) })
	at := home
	if !o.servers[home].Has(near.key.PK) {
		at = (home + 2) % 3
	}
	near.serves(t, o.client(t, near.client, at))
	near.steady(t)
}
