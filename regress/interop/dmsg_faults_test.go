// SPDX-License-Identifier: ISC

package interop

// dmsg servers and discoveries that break, stall or lie, and many streams at
// once, against skyptyd.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/rpc"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// kill ends a server as if its machine had gone.
func (o *overlay) kill(i int) {
	o.lns[i].Close()
	o.servers[i].Cut()
}

// revive starts it again where it was.
func (o *overlay) revive(t testing.TB, i int) {
	t.Helper()
	l, err := net.Listen("tcp", o.addrs[i])
	if err != nil {
		t.Fatal(err)
	}
	o.lns[i] = l
	t.Cleanup(func() { l.Close(); o.servers[i].Cut() })
	go o.servers[i].Serve(l)
}

// readyWithin gives a host more time than usual.
func (h *dmsgHost) readyWithin(t testing.TB, limit time.Duration) {
	t.Helper()
	for start := time.Now(); time.Since(start) < limit && !h.said("Reachable over dmsg"); {
		time.Sleep(50 * time.Millisecond)
	}
	h.ready(t)
}

// published waits for an entry that names just these servers.
func (o *overlay) published(t testing.TB, h *dmsgHost, servers ...int) {
	t.Helper()
	eventually(t, fmt.Sprint("an entry with the servers ", servers), func() bool {
		e, ok := o.disc.Entry(h.key.PK)
		if !ok || len(e.Client.Delegated) != len(servers) {
			return false
		}
		for _, i := range servers {
			if !strings.Contains(strings.Join(e.Client.Delegated, " "), o.servers[i].Key.Hex()) {
				return false
			}
		}
		return true
	})
}

func TestDmsgAlteredObjects(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	s := o.servers[0]
	var fault atomic.Pointer[func(obj []byte, response bool) [][]byte]
	s.Faults = func(_, _ [33]byte, obj []byte, response bool) [][]byte {
		if f := fault.Load(); f != nil {
			return (*f)(obj, response)
		}
		return [][]byte{obj}
	}
	h := o.host(t, map[string]any{"handshake_timeout": 10}).ready(t)
	c := o.client(t, h.client, 0)
	before := s.session(h.key.PK)
	try := func(f func(obj []byte, response bool) [][]byte) error {
		fault.Store(&f)
		defer fault.Store(nil)
		st, err := c.DialStream(h.key.PK, 22)
		if err != nil {
			return err
		}
		defer st.Close()
		_ = st.SetDeadline(time.Now().Add(30 * time.Second))
		out, err := execOver(st, "echo", "x")
		if err == nil && out != "x\n" {
			return fmt.Errorf("output %q", out)
		}
		return err
	}
	for _, response := range []bool{false, true} {
		for at := 0; at < 300; at += 7 {
			err := try(func(obj []byte, r bool) [][]byte {
				if r == response && at < len(obj) {
					obj = bytes.Clone(obj)
					obj[at] ^= 1 << (at % 8)
				} else if r == response {
					obj = obj[:len(obj)-1]
				}
				return [][]byte{obj}
			})
			if err == nil {
				t.Errorf("a stream in spite of byte %d (response %v)", at, response)
			}
		}
	}
	n := h.count("Accepted key")
	if n != 0 {
		t.Errorf("a key was accepted %d times", n)
	}
	for _, response := range []bool{false, true} {
		err := try(func(obj []byte, r bool) [][]byte {
			if r == response {
				return [][]byte{obj, obj}
			}
			return [][]byte{obj}
		})
		if err == nil {
			t.Errorf("a stream in spite of a second object (response %v)", response)
		}
		if err := try(func(obj []byte, r bool) [][]byte {
			if r == response {
				time.Sleep(time.Second)
			}
			return [][]byte{obj}
		}); err != nil {
			t.Errorf("delayed (response %v): %v", response, err)
		}
	}
	if s.session(h.key.PK) != before {
		t.Error("the session did not stay")
	}
	h.serves(t, c)
	h.steady(t)
}

func TestDmsgServerDies(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 2)
	h := o.host(t, nil).ready(t)
	o.published(t, h, 0, 1)
	first, second := o.client(t, h.client, 0), o.client(t, h.client, 1)
	st, err := first.DialStream(h.key.PK, 22)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := Open(st, "dmsgpty/pty"); err != nil || answer != 0 {
		t.Fatal(answer, err)
	}
	sh := &shell{Client: rpc.NewClient(st), t: t}
	if err := sh.Call("pty.Start", CommandReq{Name: "sh"}, &empty); err != nil {
		t.Fatal(err)
	}
	sh.write("echo pid=$$,do''ne\n") // what is echoed reads otherwise
	_, text, _ := strings.Cut(sh.until(",done"), "pid=")
	text = text[strings.LastIndexByte(text, '=')+1:]
	pid, err := strconv.Atoi(text[:max(0, strings.IndexByte(text, ','))])
	if err != nil {
		t.Fatalf("%q", text)
	}
	o.kill(0)
	h.serves(t, second)
	eventually(t, "the shell's end", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
	o.published(t, h, 1)
	h.serves(t, second)
	o.revive(t, 0)
	start := time.Now()
	eventually(t, "the session's return", func() bool { return o.servers[0].Has(h.key.PK) })
	t.Logf("the session came back after %v", time.Since(start))
	o.published(t, h, 0, 1)
	h.serves(t, o.client(t, h.client, 0))
	h.serves(t, second)
	h.steady(t)
}

func TestDmsgMuteServer(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	o.addServer(t, &DmsgServer{Key: NewKey(), Mute: true})
	h := o.host(t, nil)
	start := time.Now()
	h.ready(t)
	h.serves(t, o.client(t, h.client, 0))
	eventually(t, "the handshake's limit", func() bool { return h.said("the handshake takes too long") })
	// By the order of its lines, however busy the machine is.
	h.mu.Lock()
	text := h.log.String()
	h.mu.Unlock()
	if strings.Index(text, "the handshake takes too long") < strings.Index(text, "Reachable over dmsg") {
		t.Error("the other server had to wait")
	}
	if took := time.Since(start); took < 4*time.Second {
		t.Errorf("the handshake was given up after %v", took)
	}
	o.published(t, h, 0)
	h.steady(t)
}

// The host asks the discovery as soon as its session is up.  It waits behind
// message 3 for twice as long as message 2 took.
func TestDmsgOldServer(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 0)
	old := &DmsgServer{Key: NewKey(), OldStyle: true}
	o.addServer(t, old)
	disc := o.discoveryOverDmsg(t)
	seeds, _ := o.seeds()
	old.Slow.Store(int64(2 * time.Second))
	h := o.host(t, map[string]any{"dmsgdisc": "dmsg://" + disc.Hex() + ":80", "dmsg_servers": seeds}).ready(t)
	old.Slow.Store(0)
	h.serves(t, o.client(t, h.client, 0))
	if h.said("session lost") {
		t.Error("bytes behind message 3")
	}
	h.steady(t)
}

// --- discoveries ---

func TestDmsgDiscoveryLate(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	h := o.host(t, map[string]any{"dmsgdisc": "http://" + addr})
	eventually(t, "a failure", func() bool { return h.count("Discovery names no dmsg server") > 1 })
	if l, err = net.Listen("tcp", addr); err != nil {
		t.Fatal(err)
	}
	late := &http.Server{Handler: o.disc}
	go late.Serve(l)
	t.Cleanup(func() { late.Close() })
	h.ready(t)
	h.serves(t, o.client(t, h.client, 0))
	h.steady(t)
}

func TestDmsgDiscoveryMad(t *testing.T) {
	t.Parallel()
	checks := map[string]func(*testing.T){} // the hosts run side by side
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"500":     func(w http.ResponseWriter, _ *http.Request) { say(w, 500, "something unexpected happened") },
		"garbage": func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte{'[', 0xff, '{', 0}, 999)) },
		"null":    func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "null") },
		"nested":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("[", 500000)) },
		"10 MB":   func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte("[{}] "), 2<<20)) },
		"10 MB of head": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 10<<20))
		},
		"elsewhere": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://127.0.0.1:1/", 302) },
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "999")
			w.Write([]byte("[{"))
		},
		"no HTTP": func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			c.Write(bytes.Repeat([]byte{0xa5}, 100000))
			c.Close()
		},
		"closed": func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			c.Close()
		},
		"10,000 servers": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "[")
			prefix := NewKey().Hex()[:60]
			for i := range 10000 {
				fmt.Fprintf(w, `{"version":"0.0.1","static":"%s","server":{"address":"127.0.0.1:1"}},`,
					prefix+fmt.Sprintf("%06x", i))
			}
			fmt.Fprint(w, "{}]")
		},
	} {
		o := newOverlay(t, 1)
		// Mad where it is asked for servers, for our entry, and when it is told.
		var asked [3]atomic.Int32
		o.disc.Answer = func(w http.ResponseWriter, r *http.Request) bool {
			i := 1
			if strings.HasSuffix(r.URL.Path, "_servers") {
				i = 0
			} else if r.Method != http.MethodGet {
				i = 2
			}
			if asked[i].Add(1) > 1 || r.Method == http.MethodDelete {
				return false
			}
			answer(w, r)
			return true
		}
		h := o.host(t, nil)
		checks[name] = func(t *testing.T) {
			h.ready(t)
			h.serves(t, o.client(t, h.client, 0))
			h.steady(t)
		}
	}
	for name, check := range checks {
		t.Run(name, check)
	}
}

func TestDmsgDiscoveryLies(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	good := o.addrs[0]
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused.Close()
	lies := []string{good, refused.Addr().String(), "", ":", "nonsense", "127.0.0.1", "127.0.0.1:0",
		"127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:x", "[::1", "[::1]:1", "256.1.1.1:80", "0.0.0.0:1",
		"%s%n:1", "a b:1", "\n:1", good + "x", strings.Repeat("9", 300) + ":1"}
	for _, addr := range lies {
		o.disc.AddServer(NewKey().PK, addr)
	}
	// Keys that are none, at an address that is one.
	o.disc.AddServer([33]byte{2, 5: 1}, good)
	o.disc.AddServer([33]byte{}, good)
	bad := [33]byte{2}
	for i := range bad[1:] {
		bad[1+i] = 0xff
	}
	o.disc.AddServer(bad, good)
	o.disc.Put(DmsgEntry{Version: "0.0.1", Static: "zz", Server: &DmsgEntryServer{Address: good}})
	o.disc.Put(DmsgEntry{Version: "0.0.1", Static: "", Server: &DmsgEntryServer{Address: good}})
	h := o.host(t, map[string]any{"dmsgsessions": 8})
	h.ready(t)
	o.published(t, h, 0)
	h.serves(t, o.client(t, h.client, 0))
	wrote := o.disc.Written()
	time.Sleep(5 * time.Second)
	if n := o.disc.Written() - wrote; n > 1 {
		t.Errorf("failures alone were published %d times in 5 s", n)
	}
	h.serves(t, o.client(t, h.client, 0))
	h.steady(t)
}

// One session is wanted, and nearly all servers refuse it.
func TestDmsgDeadServers(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	for range 40 {
		o.disc.AddServer(NewKey().PK, "127.0.0.1:1")
	}
	h := o.host(t, nil).ready(t)
	h.serves(t, o.client(t, h.client, 0))
	h.steady(t)
}

// Servers that do not even refuse take up no connection that others need.
func TestDmsgBlackHoles(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	hole := blackHole(t)
	for range 7 {
		o.disc.AddServer(NewKey().PK, hole)
	}
	h := o.host(t, map[string]any{"dmsgsessions": 8}).ready(t)
	h.serves(t, o.client(t, h.client, 0))
	for range 20 {
		o.disc.AddServer(NewKey().PK, hole)
	}
	o.kill(0)
	time.Sleep(4 * time.Second)
	h.steady(t)
}

// blackHole gives an address that takes no connection and refuses none.
func blackHole(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprint("127.0.0.1:", sa.(*syscall.SockaddrInet4).Port)
	for range 5 {
		c, err := net.DialTimeout("tcp", addr, 300*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Skip("a full queue takes connections here")
	return ""
}

// A list of more servers than are remembered, all dead: later ones get in.
func TestDmsgServersAnew(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	var asked atomic.Int32
	o.disc.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "_servers") || asked.Add(1) > 1 {
			return false
		}
		var lies []DmsgEntry
		for i := range 3000 {
			lies = append(lies, DmsgEntry{Version: "0.0.1", Static: fmt.Sprintf("02%064x", i),
				Server: &DmsgEntryServer{Address: "127.0.0.1:1"}})
		}
		_ = json.NewEncoder(w).Encode(lies)
		return true
	}
	h := o.host(t, map[string]any{"dmsgsessions": 8})
	h.readyWithin(t, 90*time.Second)
	h.serves(t, o.client(t, h.client, 0))
	h.steady(t)
}

// Sessions that come and go for a minute: the entry follows all the while.
func TestDmsgPublishLimit(t *testing.T) {
	t.Parallel()
	slow(t)
	o := newOverlay(t, 6)
	h := o.host(t, nil).ready(t)
	for start := time.Now(); time.Since(start) < 75*time.Second; {
		wrote := o.disc.Written()
		for i := range 20 {
			o.servers[i%6].Cut()
			time.Sleep(300 * time.Millisecond)
		}
		if o.disc.Written() == wrote {
			t.Error("nothing was published for 6 s")
		}
	}
	o.published(t, h, 0, 1, 2, 3, 4, 5)
	h.steady(t)
}

func TestDmsgEntryConflict(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	key := NewKey()
	future := time.Now().Add(24 * time.Hour).UnixNano()
	mine := func(sequence uint64) {
		o.disc.Put(DmsgEntry{Version: "0.0.1", Static: key.Hex(), Sequence: sequence, Timestamp: future,
			Client: &DmsgEntryClient{Delegated: []string{}}})
	}
	mine(1 << 20)
	// Between the question for our entry and our answer somebody else writes.
	var posts atomic.Int32
	o.disc.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if n := posts.Load(); r.Method == http.MethodPost && n < 3 {
			mine(1<<20 + uint64(n+1)*10)
			posts.Add(1)
		}
		return false
	}
	h := o.host(t, map[string]any{"sk": key.SK()})
	h.key = key
	h.ready(t)
	e, _ := o.disc.Entry(key.PK)
	if e.Sequence <= 1<<20+30 || e.Timestamp < future || len(e.Client.Delegated) != 1 || posts.Load() != 3 {
		t.Errorf("%+v after %d posts", e, posts.Load())
	}
	h.serves(t, o.client(t, h.client, 0))
	h.steady(t)
}

func TestDmsgPublishStorm(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 2)
	h := o.host(t, nil).ready(t)
	o.published(t, h, 0, 1)
	wrote, start := o.disc.Written(), time.Now()
	for i := range 10 {
		o.servers[i%2].Cut()
		time.Sleep(600 * time.Millisecond)
	}
	// The entry may be the old one: the sessions are what must come back.
	eventually(t, "both sessions", func() bool {
		return o.servers[0].Has(h.key.PK) && o.servers[1].Has(h.key.PK)
	})
	o.published(t, h, 0, 1)
	n, limit := o.disc.Written()-wrote, int(time.Since(start)/time.Second)+1
	t.Logf("%d publications in %v", n, time.Since(start))
	if n > limit {
		t.Errorf("%d publications in %v", n, time.Since(start))
	}
	h.serves(t, o.client(t, h.client, 0))
	h.steady(t)
}

// --- load ---

func TestDmsgManyStreams(t *testing.T) {
	t.Parallel()
	const streams = 1000
	o := newOverlay(t, 0)
	o.addServer(t, &DmsgServer{Key: NewKey(), Limit: time.Minute})
	h := o.host(t, map[string]any{"maxperkey": 2000, "maxperaddr": 2000, "maxstartups": "2000",
		"handshake_timeout": 60}).ready(t)
	c := o.client(t, h.client, 0)
	c.Limit = time.Minute
	var wg, open sync.WaitGroup
	open.Add(streams)
	var failed atomic.Int32
	start := time.Now()
	for i := range streams {
		wg.Go(func() {
			want := fmt.Sprint("stream ", i)
			err := oneOfMany(h, c, i, want, &open)
			if err != nil && failed.Add(1) < 10 {
				t.Errorf("stream %d: %v", i, err)
			}
		})
	}
	open.Wait()
	t.Logf("all streams are open after %v", time.Since(start))
	wg.Wait()
	t.Logf("%d streams in %v, %d failed", streams, time.Since(start), failed.Load())
	h.serves(t, c)
	h.steady(t)
}

// oneOfMany runs a command when all are open.
func oneOfMany(h *dmsgHost, c *DmsgClient, i int, want string, open *sync.WaitGroup) error {
	service := "dmsgpty/pty"
	if i%2 == 0 {
		service = StreamURIs[0]
	}
	st, err := c.DialStream(h.key.PK, 22)
	open.Done()
	if err != nil {
		return err
	}
	defer st.Close()
	open.Wait()
	_ = st.SetDeadline(time.Now().Add(time.Minute))
	if answer, err := Open(st, service); err != nil || answer != 0 {
		return fmt.Errorf("mux: %d, %v", answer, err)
	}
	var got []byte
	if i%2 == 0 {
		var out bytes.Buffer
		_, err = RunStream(st, StreamRequest{Name: "cat", Stdin: []byte(want)}, &out, io.Discard)
		got = out.Bytes()
	} else {
		r := rpc.NewClient(st)
		var res CommandExecResult
		err = r.Call("pty.Exec", CommandExecReq{Name: "cat", Stdin: []byte(want)}, &res)
		got = res.Stdout
	}
	if err == nil && string(got) != want {
		err = fmt.Errorf("got %q", got)
	}
	return err
}

func TestDmsgStalledReader(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	h := o.host(t, nil).ready(t)
	c := o.client(t, h.client, 0)
	for range 8 {
		st, err := c.DialStream(h.key.PK, 22)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		if answer, err := Open(st, StreamURIs[0]); err != nil || answer != 0 {
			t.Fatal(answer, err)
		}
		// Never read: everything up to the host's pipe fills.
		if err := NewStreamRequest([]byte(`{"name":"cat","arg":["/dev/zero"]}`)).Write(st); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Second)
	for range 5 {
		h.serves(t, c)
	}
	st, err := c.DialStream(h.key.PK, 22)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, err := Open(st, StreamURIs[0]); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	res, err := RunStream(st, StreamRequest{Name: "head", Arg: []string{"-c", "4000000", "/dev/zero"}}, &out, io.Discard)
	if err != nil || res.ExitCode != 0 || out.Len() != 4000000 {
		t.Errorf("%+v, %d bytes, %v", res, out.Len(), err)
	}
	h.steady(t)
}

// silent opens streams at once and leaves them.
func silent(t testing.TB, s *DmsgServer, host [33]byte, n int) (held []net.Conn) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			st, err := s.Open(host)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			held = append(held, st)
		})
	}
	wg.Wait()
	return held
}

// Streams without a request, more of them than may wait.
func TestDmsgSilentStreams(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	s := o.servers[0]
	h := o.host(t, nil).ready(t)
	before := s.session(h.key.PK)
	c := o.client(t, h.client, 0)
	held := silent(t, s, h.key.PK, 600)
	h.serves(t, c)
	for i, st := range held[:300] {
		_, _ = st.Write(make([]byte, i%90))
	}
	h.serves(t, c)
	for _, st := range held {
		_ = st.Close()
	}
	h.serves(t, c)
	if s.session(h.key.PK) != before {
		t.Error("the session did not stay")
	}
	h.steady(t)
}

// They end after a while; a request begun does not save them.
func TestDmsgRequestLate(t *testing.T) {
	t.Parallel()
	slow(t)
	o := newOverlay(t, 1)
	h := o.host(t, nil).ready(t)
	held := silent(t, o.servers[0], h.key.PK, 20)
	var wg sync.WaitGroup
	for i, st := range held {
		_, _ = st.Write([]byte{1, 0, 7, 7, 7}[:i%6])
		wg.Go(func() { ends(t, st, 2*time.Minute) })
	}
	wg.Wait()
	h.serves(t, o.client(t, h.client, 0))
	h.steady(t)
}

// A discovery that takes questions and never answers.
func TestDmsgDiscoveryMute(t *testing.T) {
	t.Parallel()
	slow(t)
	o := newOverlay(t, 1)
	var asked [2]atomic.Int32
	o.disc.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
		i := 0
		if r.Method != http.MethodGet {
			i = 1
		}
		if asked[i].Add(1) == 1 {
			<-r.Context().Done()
			return true
		}
		return false
	}
	h := o.host(t, nil)
	h.readyWithin(t, 2*time.Minute)
	h.serves(t, o.client(t, h.client, 0))
	h.steady(t)
}

// Servers that shake hands and then make no sense: the good one is kept, and
// the others are not hammered.
func TestDmsgServerGarbage(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	all := map[string][]byte{
		"garbage":  bytes.Repeat([]byte{0xa5}, 100000),
		"close":    {},
		"go away":  {0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"ping":     bytes.Repeat([]byte{0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, 20000),
		"no data":  {0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff},
		"our side": {0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0},
		"version":  {9, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0},
	}
	times := map[string]*atomic.Int32{}
	for name, what := range all {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		k := NewKey()
		times[name] = &atomic.Int32{}
		go serveGarbage(l, k, what, times[name])
		o.disc.AddServer(k.PK, l.Addr().String())
	}
	h := o.host(t, map[string]any{"dmsgsessions": 8}).ready(t)
	c := o.client(t, h.client, 0)
	for range 10 {
		h.serves(t, c)
		time.Sleep(500 * time.Millisecond)
	}
	for name, n := range times {
		if n := n.Load(); n == 0 || n > 8 {
			t.Errorf("%s: connected %d times", name, n)
		}
	}
	if h.count(o.addrs[0]+": session is up") != 1 {
		t.Error("the good session did not stay")
	}
	h.steady(t)
}

func serveGarbage(l net.Listener, k Key, what []byte, times *atomic.Int32) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		times.Add(1)
		go func() {
			defer c.Close()
			if _, err := Accept(c, k, Payloads{}); err != nil {
				return
			}
			time.Sleep(200 * time.Millisecond)
			_, _ = c.Write(what)
			if len(what) > 0 {
				_, _ = io.Copy(io.Discard, c)
			}
		}()
	}
}

// What the discovery stores as ours is of the farthest future: nothing after it
// is signed, so it is taken out; where that cannot be, nothing ends.
func TestDmsgEntryPoisoned(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]DmsgEntry{
		"sequence":         {Sequence: 1<<64 - 2, Timestamp: 1},
		"timestamp":        {Sequence: 1, Timestamp: 1<<63 - 1},
		"clock":            {Sequence: 5, Timestamp: time.Now().Add(72 * time.Hour).UnixNano()},
		"sequence, stays":  {Sequence: 1<<64 - 2, Timestamp: 1},
		"timestamp, stays": {Sequence: 1, Timestamp: 1<<63 - 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOverlay(t, 1)
			key := NewKey()
			e.Version, e.Static = "0.0.1", key.Hex()
			e.Client = &DmsgEntryClient{Delegated: []string{}}
			stays := strings.HasSuffix(name, "stays")
			var refused atomic.Int32
			o.disc.mu.Lock()
			o.disc.Entries[key.Hex()] = e
			o.disc.Answer = func(w http.ResponseWriter, r *http.Request) bool {
				if !stays || r.Method != http.MethodDelete {
					return false
				}
				refused.Add(1)
				say(w, 500, "something unexpected happened")
				return true
			}
			o.disc.mu.Unlock()
			h := o.host(t, map[string]any{"sk": key.SK()})
			h.key = key
			eventually(t, "the host's word", func() bool { return h.said("is of the future") })
			if stays {
				eventually(t, "attempts", func() bool { return refused.Load() >= 3 })
				if got, _ := o.disc.Entry(key.PK); got.Sequence != e.Sequence {
					t.Errorf("%+v", got)
				}
				// Once it is gone all is well.
				o.disc.mu.Lock()
				delete(o.disc.Entries, key.Hex())
				o.disc.mu.Unlock()
			}
			h.ready(t)
			o.published(t, h, 0)
		})
	}
}

// A server whose key is no point of the curve, at an address that answers.
func TestDmsgServerKeyIsNone(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	bad := [33]byte{0x02}
	for i := 1; i < 33; i++ {
		bad[i] = 0xff
	}
	o.disc.AddServer(bad, l.Addr().String())
	h := o.host(t, map[string]any{"dmsgsessions": 2}).ready(t)
	time.Sleep(2 * time.Second)
	if h.said("dmsg ended") {
		t.Error("it ended")
	}
	h.serves(t, o.client(t, h.client, 0))
}

// A peer's entry names a server that has an entry but no address.
func TestDmsgServerWithoutAddress(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	near := o.host(t, nil).ready(t)
	peer, server := NewKey(), NewKey()
	o.disc.mu.Lock()
	o.disc.Entries[peer.Hex()] = DmsgEntry{Version: "0.0.1", Static: peer.Hex(),
		Client: &DmsgEntryClient{Delegated: []string{server.Hex()}}}
	o.disc.Entries[server.Hex()] = DmsgEntry{Version: "0.0.1", Static: server.Hex(),
		Server: &DmsgEntryServer{Available: 1}}
	o.disc.mu.Unlock()
	var asked atomic.Int32
	o.disc.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, server.Hex()) {
			asked.Add(1)
		}
		return false
	}
	_, errs, code := viaRun(t, nil, "exec", "--cliaddr", near.sock, peer.Hex(), "--", "true")
	if code != 255 || !strings.Contains(errs, "address") || asked.Load() > 2 {
		t.Errorf("%q, %d, asked %d times", errs, code, asked.Load())
	}
}

// Dials to ten keys, each by a server of its own: sessions that were made for
// them make room, and none of those servers becomes one of ours.
func TestDmsgManyServersDialed(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 11)
	near := o.host(t, map[string]any{"dmsgsessions": 1}).ready(t)
	for i := range o.servers {
		h := &Host{}
		o.goHost(t, h, i)
		out, errs, code := viaRun(t, nil, "exec", "--cliaddr", near.sock, h.Key.Hex(), "--", "echo", "hi")
		if out != "hi\n" || code != 0 {
			t.Fatalf("server %d: %q %q %d", i, out, errs, code)
		}
	}
	time.Sleep(1500 * time.Millisecond)
	if e, _ := o.disc.Entry(near.key.PK); len(e.Client.Delegated) != 1 {
		t.Errorf("delegated: %d", len(e.Client.Delegated))
	}
}
