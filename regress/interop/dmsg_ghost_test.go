// SPDX-License-Identifier: ISC

package interop

// Whether a host can be reached, and not only has a session: old sessions that
// servers hold on to, keys that two processes use, servers that move.

import (
	"encoding/json"
	"net"
	"net/http"
	"net/rpc"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// wire is what lies between hosts and a server; it can be cut on one side.
type wire struct {
	ln     net.Listener
	to     string
	mu     sync.Mutex
	near   []net.Conn // the hosts' side
	far    []net.Conn // the server's
	frozen bool       // nothing passes, nothing ends
}

func newWire(t testing.TB, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{ln: l, to: to}
	go w.serve()
	t.Cleanup(func() { l.Close(); w.end(w.take()) })
	return w
}

func (w *wire) serve() {
	for {
		near, err := w.ln.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", w.to)
		if err != nil {
			near.Close()
			continue
		}
		w.mu.Lock()
		w.near = append(w.near, near)
		w.far = append(w.far, far)
		w.mu.Unlock()
		go w.pass(near, far)
		go w.pass(far, near)
	}
}

// isLost says whether the machine at its end has gone without a word.
func (w *wire) isLost(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, known := range append(w.near[:len(w.near):len(w.near)], w.far...) {
		if known == c {
			return w.frozen
		}
	}
	return true
}

func (w *wire) pass(from, to net.Conn) {
	b := make([]byte, 65536)
	for {
		n, err := from.Read(b)
		if w.isLost(from) {
			if err != nil {
				return
			}
			continue
		}
		if err != nil {
			to.Close()
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			from.Close()
		}
	}
}

// take gives away the connections there are: what they do passes no more.
func (w *wire) take() (near, far []net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	near, far = w.near, w.far
	w.near, w.far = nil, nil
	return near, far
}

func (w *wire) end(near, far []net.Conn) {
	for _, c := range append(near, far...) {
		c.Close()
	}
}

func (w *wire) freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = true
}

// reaches says whether one can come to a host by that server.
func (o *overlay) reaches(t testing.TB, h *dmsgHost, server int) bool {
	t.Helper()
	c := &DmsgClient{Key: h.client, Limit: 5 * time.Second}
	if err := c.DialServer(o.addrs[server], o.servers[server].Key.PK); err != nil {
		return false
	}
	defer c.Close()
	st, err := c.DialStream(h.key.PK, 22)
	if err != nil {
		return false
	}
	defer st.Close()
	out, err := execOver(st, "echo", "here")
	return err == nil && out == "here\n"
}

func eventuallyWithin(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(250 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

type sessionStatus struct {
	Address string
	Up      bool
	Proven  int `json:"proven_age_s"`
}

func (h *dmsgHost) sessions(t testing.TB) []sessionStatus {
	t.Helper()
	out, err := exec.Command(program(t, "SKYPTY", "skypty"), "dmsg", "status", "--json",
		"--cliaddr", h.sock).Output()
	var s struct{ Sessions []sessionStatus }
	if err != nil || json.Unmarshal(out, &s) != nil {
		return nil
	}
	return s.Sessions
}

// again starts another process with a host's key.
func (o *overlay) again(t testing.TB, h *dmsgHost) *dmsgHost {
	t.Helper()
	h2 := o.host(t, map[string]any{"sk": h.key.SK(), "wl": []string{h.client.Hex()}})
	h2.key, h2.client = h.key, h.client
	return h2
}

// A host whose machine lost its power comes back while the server still holds
// its old session, and notices when that one's end makes it unreachable.
func TestDmsgGhost(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]Second{"replaced": SecondReplaces,
		"forgotten": SecondForgotten, "refused": SecondRefused} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOverlay(t, 0)
			s := &DmsgServer{Key: NewKey(), Second: rule}
			o.addServer(t, s)
			w := newWire(t, o.addrs[0])
			o.disc.AddServer(s.Key.PK, w.ln.Addr().String())
			h := o.host(t, nil).ready(t)
			if !o.reaches(t, h, 0) {
				t.Fatal("not reachable to begin with")
			}
			near, far := w.take()
			h.cmd.Process.Kill()
			h.cmd.Wait()
			h2 := o.again(t, h).ready(t)
			eventually(t, "the new session", func() bool { return o.reaches(t, h2, 0) })
			// In the end the server gives the old one up.
			w.end(near, far)
			if rule == SecondForgotten {
				eventually(t, "the key's end", func() bool { return !s.Has(h.key.PK) })
			}
			eventuallyWithin(t, 3*time.Minute, "a host that is reachable", func() bool { return o.reaches(t, h2, 0) })
			eventually(t, "its word", func() bool {
				for _, s := range h2.sessions(t) {
					if s.Up && s.Proven >= 0 {
						return true
					}
				}
				return false
			})
		})
	}
}

// While somebody is there by a session that nobody else comes by, it stays, and
// another server serves whoever is to come.
func TestDmsgGhostUsed(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 2)
	h := o.host(t, map[string]any{"dmsgsessions": 1}).ready(t)
	e, _ := o.disc.Entry(h.key.PK)
	used := 0
	if e.Client.Delegated[0] != o.servers[0].Key.Hex() {
		used = 1
	}
	s := o.servers[used]
	c := o.client(t, h.client, used)
	st, err := c.DialStream(h.key.PK, 22)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := Open(st, "dmsgpty/pty"); err != nil || answer != 0 {
		t.Fatal(answer, err)
	}
	shell := rpc.NewClient(st)
	defer shell.Close()
	say := func(text string) {
		var res CommandExecResult
		err := shell.Call("pty.Exec", CommandExecReq{Name: "echo", Arg: []string{text}}, &res)
		if err != nil || string(res.Stdout) != text+"\n" {
			t.Errorf("%q, %v", res.Stdout, err)
		}
	}
	say("there")
	s.mu.Lock()
	delete(s.sessions, h.key.PK)
	s.mu.Unlock()
	eventuallyWithin(t, 2*time.Minute, "the other server in the entry", func() bool {
		e, _ := o.disc.Entry(h.key.PK)
		return len(e.Client.Delegated) == 1 && e.Client.Delegated[0] == o.servers[1-used].Key.Hex()
	})
	if !o.reaches(t, h, 1-used) {
		t.Error("not reachable by the other server")
	}
	say("still there")
}

// Two processes with one key say so, and do not fight for ever.
func TestDmsgTwoHosts(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	h := o.host(t, nil).ready(t)
	h2 := o.again(t, h)
	eventuallyWithin(t, 2*time.Minute, "word of the other", func() bool {
		return (h.said("sessions in a row closed by it") || h2.said("sessions in a row closed by it")) &&
			(h.said("written by somebody else") || h2.said("written by somebody else"))
	})
	before := o.disc.Written()
	time.Sleep(10 * time.Second)
	if n := o.disc.Written() - before; n > 10 {
		t.Errorf("%d entries in 10 seconds", n)
	}
}

// A server that stands still: its machine is there, and says nothing.
func TestDmsgServerStandsStill(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	w := newWire(t, o.addrs[0])
	o.disc.AddServer(o.servers[0].Key.PK, w.ln.Addr().String())
	h := o.host(t, nil).ready(t)
	w.freeze()
	eventuallyWithin(t, 2*time.Minute, "its being noticed", func() bool {
		return h.said("it does not answer") || h.said("it lets nobody through")
	})
}

// Where a server is the discovery knows better than the configuration; that one
// serves where the discovery is wrong.
func TestDmsgServerConfiguredElsewhere(t *testing.T) {
	t.Parallel()
	dead := deadAddress(t)
	for name, good := range map[string]bool{"configured wrong": true, "discovered wrong": false} {
		t.Run(name, func(t *testing.T) {
			o := newOverlay(t, 1)
			conf, pk := dead, o.servers[0].Key
			if !good {
				conf = o.addrs[0]
				o.disc.AddServer(pk.PK, dead)
			}
			h := o.host(t, map[string]any{"dmsg_servers": []map[string]any{{"static": pk.Hex(),
				"server": map[string]any{"address": conf}}}}).ready(t)
			if !o.reaches(t, h, 0) {
				t.Error("not reachable")
			}
		})
	}
}

func deadAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

// One of two servers moves while the other one serves, and a third is added.
func TestDmsgServerMoves(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 2)
	h := o.host(t, map[string]any{"dmsgsessions": 3}).ready(t)
	o.published(t, h, 0, 1)
	o.kill(0)
	o.published(t, h, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go o.servers[0].Serve(l)
	o.disc.AddServer(o.servers[0].Key.PK, l.Addr().String())
	o.addServer(t, &DmsgServer{Key: NewKey()})
	eventuallyWithin(t, 3*time.Minute, "all three in the entry", func() bool {
		e, ok := o.disc.Entry(h.key.PK)
		return ok && len(e.Client.Delegated) == 3
	})
}

// A discovery that answers for another key is not believed about ours.
func TestDmsgEntryOfAnother(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	key := NewKey()
	other, _ := json.Marshal(DmsgEntry{Version: "0.0.1", Static: NewKey().Hex(), Sequence: 1 << 20,
		Timestamp: 1, Client: &DmsgEntryClient{Delegated: []string{}}})
	var once atomic.Bool
	o.disc.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/entry/"+key.Hex()) || once.Swap(true) {
			return false
		}
		w.Write(other)
		return true
	}
	h := o.host(t, map[string]any{"sk": key.SK()})
	h.key = key
	h.ready(t)
	if e, _ := o.disc.Entry(key.PK); e.Sequence > 1<<10 || !h.said("another key than ours") {
		t.Errorf("%+v", e)
	}
}
