// SPDX-License-Identifier: ISC

package interop

// The layers below the calls of skyptyd, kept to and broken: Noise, frames,
// mux, gob.

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flynn/noise"
)

// silence reads to the end: the host must close without a byte.
func silence(t testing.TB, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(60 * time.Second))
	b, err := io.ReadAll(c)
	if len(b) != 0 {
		t.Errorf("the host said %x", b)
	}
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the host did not close: %v", err)
	}
}

func TestHandshakePayloads(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	for name, p := range map[string]Payloads{
		"classic":      {},
		"post-quantum": {PQ: true},
		"one byte":     {First: []byte{1}},
		"largest":      {First: bytes.Repeat([]byte{7}, 4094-49)},
		"1184 of junk": {First: bytes.Repeat([]byte{0xff}, 1184)},
	} {
		t.Run(name, func(t *testing.T) {
			c := d.dial(t, d.client, p)
			if answer, err := Open(c, "dmsgpty/pty"); err != nil || answer != 0 {
				t.Errorf("mux: %d, %v", answer, err)
			}
		})
	}
}

func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	// Its own key is, as documented.
	c := d.dial(t, d.key, Payloads{})
	if answer, err := Open(c, "dmsgpty/pty"); err != nil || answer != 0 {
		t.Errorf("own key: %d, %v", answer, err)
	}
	c = d.dial(t, NewKey(), Payloads{})
	if answer, err := Open(c, "dmsgpty/pty"); err != io.EOF {
		t.Errorf("unlisted key: %d, %v", answer, err)
	}
	other := NewKey()
	if _, err := Dial(d.tcp(t), d.client, other.PK[:], Payloads{}); err != io.EOF {
		t.Errorf("wrong host key: %v", err)
	}
	d.serves(t)
}

func TestMux(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	long := "dmsgpty/pty?" + strings.Repeat("x", 255-12)
	for uri, want := range map[string]byte{
		"dmsgpty/pty":     0,
		"/dmsgpty/pty":    0,
		"dmsgpty/pty?x=1": 0,
		"dmsgpty/pty#f":   0,
		long:              0,
		"//dmsgpty/pty":   1, "dmsgpty%2Fpty": 1, "dmsgpty/pty/": 1, "": 1, "x": 1,
		"dmsgpty/whitelist":          1,
		"dmsgpty/proxy?pk=0&port=22": 1,
		"dmsgpty/\x01":               1,
		"dmsgpty/%zz":                1,
		"a:b/c":                      1,
		strings.Repeat("a", 255):     1,
	} {
		c := d.dial(t, d.client, Payloads{})
		answer, err := Open(c, uri)
		if err != nil || answer != want {
			t.Errorf("%q: %d, %v; want %d", uri, answer, err, want)
		}
		if want == 1 {
			silence(t, c)
		}
		_ = c.Close()
	}
	d.serves(t)
}

func TestFramesRefused(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	for name, send := range map[string]func(c *Conn){
		"too long": func(c *Conn) { _, _ = c.Conn.Write([]byte{0x0f, 0xff}) },
		"bad tag": func(c *Conn) {
			b := c.Body([]byte("x"))
			b[len(b)-1] ^= 1
			_ = writeFrame(c.Conn, b)
		},
		"flipped counter": func(c *Conn) {
			b := c.Body([]byte("x"))
			b[7] ^= 8
			_ = writeFrame(c.Conn, b)
		},
		"counter repeated": func(c *Conn) {
			_ = writeFrame(c.Conn, c.Body(nil))
			c.Counter--
			_ = writeFrame(c.Conn, c.Body([]byte{1}))
		},
		"counter zero": func(c *Conn) {
			c.Counter = ^uint64(0)
			_ = writeFrame(c.Conn, c.Body([]byte{1}))
		},
		"short body": func(c *Conn) { _ = writeFrame(c.Conn, []byte("1234567")) },
		"no tag":     func(c *Conn) { _ = writeFrame(c.Conn, make([]byte, 23)) },
		"empty":      func(c *Conn) { _ = writeFrame(c.Conn, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			c := d.dial(t, d.client, Payloads{})
			send(c)
			silence(t, c)
		})
	}
	d.serves(t)
}

func TestFramesAccepted(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := d.dial(t, d.client, Payloads{})
	_ = writeFrame(c.Conn, c.Body(nil)) // nothing in it
	c.Counter += 1 << 40                // a gap
	c.Piece = 1
	answer, err := Open(c, "dmsgpty/pty")
	if err != nil || answer != 0 {
		t.Fatalf("mux: %d, %v", answer, err)
	}
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	for name, bytes := range map[string][]byte{
		"http":        []byte("GET / HTTP/1.0\r\n\r\n"),
		"zero":        make([]byte, 100),
		"ones":        bytes.Repeat([]byte{0xff}, 5000),
		"short frame": {0, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		"bad point":   append([]byte{0, 49}, bytes.Repeat([]byte{5}, 49)...),
	} {
		t.Run(name, func(t *testing.T) {
			c := d.tcp(t)
			_, _ = c.Write(bytes)
			silence(t, c)
		})
	}
	d.serves(t)
}

// Keys in message 3 that are none.  A real client is stopped before it.
func TestBadStaticKey(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	for name, pk := range map[string][]byte{
		"null":         make([]byte, 33),
		"not a point":  append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...),
		"uncompressed": append([]byte{4}, bytes.Repeat([]byte{1}, 32)...),
	} {
		t.Run(name, func(t *testing.T) {
			c := d.tcp(t)
			dh := dhKey(d.client)
			dh.Public = pk
			hs, err := noise.NewHandshakeState(noise.Config{
				CipherSuite:   noise.NewCipherSuite(curve{}, noise.CipherChaChaPoly, noise.HashSHA256),
				Pattern:       noise.HandshakeXK,
				Initiator:     true,
				StaticKeypair: dh,
				PeerStatic:    d.key.PK[:],
			})
			if err != nil {
				t.Fatal(err)
			}
			m1, _, _, _ := hs.WriteMessage(nil, nil)
			_ = writeFrame(c, m1)
			m2, err := readFrame(c)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, _, err := hs.ReadMessage(nil, m2); err != nil {
				t.Fatal(err)
			}
			m3, _, _, err := hs.WriteMessage(nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = writeFrame(c, m3)
			silence(t, c)
		})
	}
	d.serves(t)
}

// Message 1 again, in a connection of its own, gets a new message 2 and no more.
func TestReplay(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	var sent bytes.Buffer
	first := d.tcp(t)
	c, err := Dial(struct {
		net.Conn
	}{&recorder{first, &sent}}, d.client, d.key.PK[:], Payloads{})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := Open(c, "dmsgpty/pty"); err != nil || answer != 0 {
		t.Fatal(answer, err)
	}
	again := d.tcp(t)
	_, _ = again.Write(sent.Bytes())
	if _, err := readFrame(again); err != nil {
		t.Fatal(err)
	}
	silence(t, again)
	d.serves(t)
}

type recorder struct {
	net.Conn
	w io.Writer
}

func (r *recorder) Write(p []byte) (int, error) {
	_, _ = r.w.Write(p)
	return r.Conn.Write(p)
}

// --- gob ---------------------------------------------------------------------

// opaque is sent as bytes that only its own type understands.
type opaque struct{}

func (opaque) GobEncode() ([]byte, error) { return []byte("secret"), nil }
func (opaque) GobDecode([]byte) error     { return nil }

// request is net/rpc's, with fields that it does not have, in another order.
type request struct {
	Before        map[string][]float64
	Seq           uint64
	Opaque        opaque
	Complex       complex128
	ServiceMethod string
	Nested        struct {
		A [3]int8
		B *struct{ C []string }
	}
}

// richExec likewise.
type richExec struct {
	Extra     []map[int]bool
	TimeoutMS int
	Arg       []string
	Other     [2][]byte
	Name      string
	Float     float32
}

type gobPeer struct {
	*Conn
	enc *gob.Encoder
	dec *gob.Decoder
}

type response struct {
	ServiceMethod string
	Seq           uint64
	Error         string
}

func (d *daemon) gob(t testing.TB) *gobPeer {
	return newPeer(d.open(t))
}

func newPeer(c *Conn) *gobPeer {
	return &gobPeer{c, gob.NewEncoder(c), gob.NewDecoder(c)}
}

func (g *gobPeer) reply(t testing.TB, v any) response {
	t.Helper()
	var r response
	if err := g.dec.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if r.Error != "" {
		v = &empty
	}
	if err := g.dec.Decode(v); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestForeignGob(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	for _, piece := range []int{0, 1} {
		g := d.gob(t)
		g.Piece = piece
		rq := request{Seq: 1 << 60, ServiceMethod: "pty.Exec", Complex: 1i,
			Before: map[string][]float64{"a": {1, 2}}}
		rq.Nested.B = &struct{ C []string }{[]string{"x", ""}}
		ex := richExec{Name: "echo", Arg: []string{"-n", "hi"}, Float: 1.5,
			Extra: []map[int]bool{{1: true}, nil}, Other: [2][]byte{{1}, nil}}
		if g.enc.Encode(rq) != nil || g.enc.Encode(ex) != nil {
			t.Fatal("encode")
		}
		var res CommandExecResult
		if r := g.reply(t, &res); r.Seq != 1<<60 || r.Error != "" || string(res.Stdout) != "hi" {
			t.Errorf("reply %+v %+v", r, res)
		}
		// Types that do not fit fail their call and nothing else.
		type wrong struct{ Name int }
		rq = request{Seq: 2, ServiceMethod: "pty.Exec"}
		if g.enc.Encode(rq) != nil || g.enc.Encode(wrong{5}) != nil {
			t.Fatal("encode")
		}
		if r := g.reply(t, &empty); !strings.HasPrefix(r.Error, "gob: ") {
			t.Errorf("wrong type: %+v", r)
		}
		rq = request{Seq: 3, ServiceMethod: "pty.SetPtySize"}
		if g.enc.Encode(rq) != nil || g.enc.Encode(struct{ Rows uint }{70000}) != nil {
			t.Fatal("encode")
		}
		if r := g.reply(t, &empty); !strings.HasPrefix(r.Error, "gob: ") {
			t.Errorf("70000 rows: %+v", r)
		}
		rq = request{Seq: 4, ServiceMethod: "pty.Ping"}
		if g.enc.Encode(rq) != nil || g.enc.Encode(struct{ Whatever []int }{[]int{1}}) != nil {
			t.Fatal("encode")
		}
		if r := g.reply(t, &empty); r.Error != "" || r.Seq != 4 {
			t.Errorf("Ping: %+v", r)
		}
		_ = g.Close()
	}
}

func TestHostileGob(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	definition := []byte{0x0a, 0xff, 0x81, 0x03, 0x01, 0x02, 0xff, 0x82, 0, 0, 0}
	nested := bytes.Repeat([]byte{0x01, 0x01}, 1000)
	for name, stream := range map[string][]byte{
		"message of 1 GiB": {0xfc, 0x40, 0, 0, 0},
		"length of 2^63":   {0xf8, 0x80, 0, 0, 0, 0, 0, 0, 0},
		"length byte":      {0x80},
		"twice defined":    append(append([]byte{}, definition...), definition...),
		"id below 64":      {0x08, 0x20, 0x03, 0x01, 0x02, 0x21, 0, 0, 0},
		"deep":             append([]byte{0xfe, 0x07, 0xd2, 0xff, 0x81}, nested...),
		"undefined type":   {0x03, 0xff, 0xfe, 0},
		"zeros":            make([]byte, 1000),
	} {
		t.Run(name, func(t *testing.T) {
			c := d.open(t)
			if _, err := c.Write(stream); err != nil {
				t.Fatal(err)
			}
			silence(t, c.Conn)
		})
	}
	d.serves(t)
}

// Half a message stays half a message, and costs nobody else anything.
func TestTruncated(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	g := d.gob(t)
	var whole bytes.Buffer
	enc := gob.NewEncoder(&whole)
	_ = enc.Encode(request{Seq: 1, ServiceMethod: "pty.Exec"})
	_ = enc.Encode(CommandExecReq{Name: "echo", Arg: []string{"x"}})
	all := whole.Bytes()
	for i := range all {
		if _, err := g.Write(all[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	var res CommandExecResult
	if r := g.reply(t, &res); r.Error != "" || string(res.Stdout) != "x\n" {
		t.Errorf("byte by byte: %+v %+v", r, res)
	}
	half := d.open(t)
	_, _ = half.Write(all[:len(all)/2])
	d.serves(t)
}

// The frames of a burst and of single bytes of TCP make the same stream.
func TestSegments(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := d.tcp(t)
	_ = c.(*net.TCPConn).SetNoDelay(true)
	slow := &dribble{c}
	k, err := Dial(slow, d.client, d.key.PK[:], Payloads{})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := Open(k, "dmsgpty/pty"); err != nil || answer != 0 {
		t.Fatal(answer, err)
	}
}

type dribble struct{ net.Conn }

func (d *dribble) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := d.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// Our own DH is the specification's: pty-noise-xk.txt, dh.es.
func TestVector(t *testing.T) {
	t.Parallel()
	static, _ := ParseKey(strings.Repeat("33", 32))
	ephemeral, _ := ParseKey(strings.Repeat("22", 32))
	dh, err := curve{}.DH(ephemeral.sk.Serialize(), static.PK[:])
	want := "dad01099ba98968f32b479e03439fdb2433c52b9622e418335fde00890f98ac600"
	if err != nil || hex.EncodeToString(dh) != want {
		t.Fatalf("%x, %v", dh, err)
	}
}
