// SPDX-License-Identifier: ISC

package interop

// Hosts that skypty should rather not meet, and odd ones that it should.

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"io"
	"net"
	"strings"
	"testing"
)

// wildHost gives every connection to a function.
func wildHost(t testing.TB, k Key, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return k.Hex() + "@" + l.Addr().String()
}

// wildService behaves until the pty service is accepted.
func wildService(t testing.TB, serve func(*Conn)) string {
	k := NewKey()
	return wildHost(t, k, func(tcp net.Conn) {
		c, err := Accept(tcp, k, Payloads{})
		if err != nil {
			return
		}
		var n [1]byte
		_, _ = io.ReadFull(c, n[:])
		uri := make([]byte, n[0])
		if _, err := io.ReadFull(c, uri); err != nil {
			return
		}
		if withoutQuery(string(uri)) != "dmsgpty/pty" {
			_, _ = c.Write([]byte{1})
			return
		}
		_, _ = c.Write([]byte{0})
		serve(c)
	})
}

// wantFailure runs a command there, in vain and without a hang.
func wantFailure(t *testing.T, dest string, want string) {
	t.Helper()
	got := skypty(t, nil, "exec", "--no-visor-key", "tcp://"+dest, "--", "echo", "x")
	if got.status != 255 || got.out != "" || !strings.Contains(got.err, want) {
		t.Errorf("exec: %+v, want %q", got, want)
	}
	c := onTerminal(t, "shell", "--no-visor-key", dest)
	if s := c.status(); s != 255 {
		t.Errorf("shell: status %d", s)
	}
}

func TestWildHandshakes(t *testing.T) {
	t.Parallel()
	k := NewKey()
	// message2 gets the client's first message and gives the answer's frame.
	message2 := func(tcp net.Conn) []byte {
		hs, err := state(k, false, nil, nil)
		if err != nil {
			return nil
		}
		m1, _ := readFrame(tcp)
		_, _, _, _ = hs.ReadMessage(nil, m1)
		m2, _, _, _ := hs.WriteMessage(nil, []byte("payload"))
		return append(binary.BigEndian.AppendUint16(nil, uint16(len(m2))), m2...)
	}
	for name, serve := range map[string]func(net.Conn){
		"closes at once": func(net.Conn) {},
		"ssh":            func(c net.Conn) { _, _ = c.Write([]byte("SSH-2.0-OpenSSH_9.2\r\n")); _, _ = readFrame(c) },
		"empty frame":    func(c net.Conn) { _, _ = readFrame(c); _ = writeFrame(c, nil) },
		"too long":       func(c net.Conn) { _, _ = readFrame(c); _, _ = c.Write([]byte{0x0f, 0xff}); _, _ = readFrame(c) },
		"no point":       func(c net.Conn) { _, _ = readFrame(c); _ = writeFrame(c, make([]byte, 49)) },
		"echo":           func(c net.Conn) { m, _ := readFrame(c); _ = writeFrame(c, m); _, _ = readFrame(c) },
		"bad tag": func(c net.Conn) {
			m := message2(c)
			m[len(m)-1] ^= 1
			_, _ = c.Write(m)
			_, _ = readFrame(c)
		},
		"half of message 2": func(c net.Conn) { m := message2(c); _, _ = c.Write(m[:len(m)/2]) },
		"closes before the mux": func(c net.Conn) {
			_, _ = c.Write(message2(c))
			_, _ = readFrame(c)
		},
	} {
		t.Run(name, func(t *testing.T) { wantFailure(t, wildHost(t, k, serve), "skypty: ") })
	}
}

func TestWildServices(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(*Conn){
		"closes":      func(*Conn) {},
		"closes late": func(c *Conn) { _, _ = c.Read(make([]byte, 1)) },
		"bad tag": func(c *Conn) {
			b := c.Body([]byte{1, 2, 3})
			b[len(b)-1] ^= 1
			_ = writeFrame(c.Conn, b)
			_, _ = io.Copy(io.Discard, c)
		},
		"repeated counter": func(c *Conn) {
			c.Counter--
			_ = writeFrame(c.Conn, c.Body([]byte{1}))
			_, _ = io.Copy(io.Discard, c)
		},
		"short body":   func(c *Conn) { _ = writeFrame(c.Conn, []byte("1234567")); _, _ = io.Copy(io.Discard, c) },
		"half a value": func(c *Conn) { _, _ = c.Write([]byte{0x20, 0xff}) },
		"64 MiB": func(c *Conn) {
			_, _ = c.Write([]byte{0xfc, 4, 0, 0, 0})
			_, _ = io.Copy(io.Discard, c)
		},
		"deep": func(c *Conn) {
			_, _ = c.Write(join([]byte{0xfe, 0x07, 0xd2, 0xff, 0x81}, bytes.Repeat([]byte{1, 1}, 1000)))
			_, _ = io.Copy(io.Discard, c)
		},
		"a reply that is no struct": func(c *Conn) {
			_, _ = c.Write(message(idInt, []byte{0, 2}))
			_, _ = io.Copy(io.Discard, c)
		},
	} {
		t.Run(name, func(t *testing.T) { wantFailure(t, wildService(t, serve), "skypty: ") })
	}
}

// caller is the host's end of a raw stream: Go reads, a hand writes.
type caller struct {
	*Conn
	dec *gob.Decoder
}

type rpcRequest struct {
	ServiceMethod string
	Seq           uint64
}

func (c *caller) next(arg any) (r rpcRequest, err error) {
	if err = c.dec.Decode(&r); err == nil {
		err = c.dec.Decode(arg)
	}
	return r, err
}

const (
	responseID = 7000
	resultID   = 300
	emptyID    = 301
)

// Response backwards, with a field that nobody knows.
var responseType = join(defineStruct(emptyID), define(99, kindMap, idString, idFloat),
	defineStruct(responseID, field{"Error", idString}, field{"Unknown", 99},
		field{"Seq", idUint}, field{"ServiceMethod", idString}))

func answer(seq uint64, problem string) []byte {
	var b []byte
	last := 0 // field written
	put := func(n int, value []byte) {
		b = join(b, gobUint(uint64(n-last)), value)
		last = n
	}
	if problem != "" {
		put(1, gobString(problem))
	}
	put(2, []byte{1, 1, 'k', 5})
	if seq != 0 {
		put(3, gobUint(seq))
	}
	return message(responseID, b, []byte{0})
}

// A result of another age: other order, other fields, one that is missing.
func TestForeignReplies(t *testing.T) {
	t.Parallel()
	resultType := defineStruct(resultID, field{"TimedOut", idBool}, field{"Host", idString},
		field{"Usage", 99}, field{"Stderr", idBytes}, field{"ExitCode", idInt}, field{"Stdout", idBytes})
	value := message(resultID, []byte{2}, gobString("h"), []byte{1, 1, 1, 'u', 7}, []byte{1},
		gobString("err\n"), []byte{1}, gobInt(42), []byte{1}, gobString("out\n"), []byte{0})
	for name, c := range map[string]struct {
		reply func(seq uint64) []byte
		want  result
	}{
		"plain": {func(seq uint64) []byte { return join(answer(seq, ""), value) }, result{"out\n", "err\n", 42}},
		"others first": {func(seq uint64) []byte {
			return join(answer(seq+1000, ""), value, answer(seq+7, "no"), message(emptyID, []byte{0}),
				answer(seq+1<<40, ""), message(idString, []byte{0}, gobString("text")), answer(seq, ""), value)
		}, result{"out\n", "err\n", 42}},
		"an error with a value": {func(seq uint64) []byte { return join(answer(seq, "refused \x1b[31m"), value) },
			result{"", "refused", 255}},
		"an empty result": {func(seq uint64) []byte { return join(answer(seq, ""), message(emptyID, []byte{0})) },
			result{"", "", 0}},
		"a wrong kind": {func(seq uint64) []byte {
			return join(answer(seq, ""), message(idString, []byte{0}, gobString("text")))
		}, result{"", "skypty: ", 255}},
	} {
		for _, piece := range []int{0, 1} {
			t.Run(name, func(t *testing.T) {
				dest := wildService(t, func(conn *Conn) {
					conn.Piece = piece
					h := &caller{conn, gob.NewDecoder(conn)}
					for {
						var arg CommandExecReq
						r, err := h.next(&arg)
						if err != nil || r.ServiceMethod != "pty.Exec" || arg.Name != "echo" {
							return
						}
						_, _ = conn.Write(join(responseType, resultType, c.reply(r.Seq)))
					}
				})
				got := skypty(t, nil, "exec", "--no-visor-key", "tcp://"+dest, "--", "echo", "x")
				if got.out != c.want.out || !strings.Contains(got.err, c.want.err) || got.status != c.want.status {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
				if strings.Contains(got.err, "\x1b") {
					t.Errorf("an escape reaches the terminal: %q", got.err)
				}
			})
		}
	}
}
