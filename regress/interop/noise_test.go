// SPDX-License-Identifier: ISC

package interop

// The Go peer itself against regress/vectors, so that an agreement of the C
// programs with it means something.

import (
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

// vector holds a file's "name = hex" lines; frames come several to a name.
type vector map[string][][]byte

func readVector(t *testing.T, name string) vector {
	t.Helper()
	text, err := os.ReadFile("../vectors/" + name)
	if err != nil {
		t.Fatal(err)
	}
	v := vector{}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(line, "=")
		b, err := hex.DecodeString(strings.TrimSpace(value))
		if ok && err == nil && !strings.HasPrefix(line, "#") {
			name = strings.TrimSpace(name)
			v[name] = append(v[name], b)
		}
	}
	return v
}

func (v vector) one(t *testing.T, name string) []byte {
	t.Helper()
	if len(v[name]) != 1 {
		t.Fatalf("%d times %s", len(v[name]), name)
	}
	return v[name][0]
}

func (v vector) key(t *testing.T, name string) Key {
	t.Helper()
	k, err := ParseKey(hex.EncodeToString(v.one(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// script is a connection whose other end has said everything already.
type script struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error) { return s.out.Write(p) }

// speak sends the first two frames of a direction and reads the other's.
func speak(t *testing.T, c *Conn, s *script, want []byte, v vector, tx, rx string) {
	t.Helper()
	for _, frame := range v["pt "+tx][:2] {
		if _, err := c.Write(frame); err != nil {
			t.Fatal(err)
		}
	}
	want = append(append(bytes.Clone(want), v["tx "+tx][0]...), v["tx "+tx][1]...)
	if !bytes.Equal(s.out.Bytes(), want) {
		t.Errorf("wrote\n%x, not\n%x", s.out.Bytes(), want)
	}
	all, err := io.ReadAll(c)
	heard := append(bytes.Join(v["pt "+rx][:2], nil), bytes.Repeat([]byte("A"), 4070)...)
	if rx == "i>r" {
		heard = bytes.Join(v["pt "+rx], nil)
	}
	if err != nil || !bytes.Equal(all, heard) {
		t.Errorf("read %d bytes, %v; want %d", len(all), err, len(heard))
	}
}

func TestVectorInitiator(t *testing.T) {
	t.Parallel()
	for name, hybrid := range map[string]bool{"pty-noise-xk.txt": false,
		"pty-noise-xk-pq-declined.txt": false, "pty-noise-xk-pq.txt": true} {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			p := Payloads{ephemeral: bytes.NewReader(v.one(t, "init.eph.sk"))}
			if name != "pty-noise-xk.txt" {
				p.PQ, p.seed = true, v.one(t, "mlkem.seed(d||z)")
			}
			s := &script{in: bytes.NewReader(append(v.one(t, "wire2 r>i"),
				bytes.Join(v["tx r>i"], nil)...))}
			c, err := Dial(s, v.key(t, "init.static.sk"), v.one(t, "resp.static.pk"), p)
			if err != nil {
				t.Fatal(err)
			}
			if c.Hybrid != hybrid {
				t.Errorf("hybrid: %v", c.Hybrid)
			}
			shake := append(v.one(t, "wire1 i>r"), v.one(t, "wire3 i>r")...)
			speak(t, c, s, shake, v, "i>r", "r>i")
		})
	}
}

func TestVectorResponder(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"pty-noise-xk.txt", "pty-noise-xk-pq-declined.txt"} {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			s := &script{in: bytes.NewReader(append(append(v.one(t, "wire1 i>r"),
				v.one(t, "wire3 i>r")...), bytes.Join(v["tx i>r"], nil)...))}
			c, err := Accept(s, v.key(t, "resp.static.sk"),
				Payloads{ephemeral: bytes.NewReader(v.one(t, "resp.eph.sk"))})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(c.Peer[:], v.one(t, "init.static.pk")) {
				t.Errorf("peer %x", c.Peer)
			}
			speak(t, c, s, v.one(t, "wire2 r>i"), v, "r>i", "i>r")
		})
	}
}

// Encapsulation draws on chance: here the two Go sides check each other.
func TestHybridBothSides(t *testing.T) {
	t.Parallel()
	left, right := net.Pipe()
	defer left.Close()
	host := NewKey()
	done := make(chan error, 1)
	go func() {
		c, err := Accept(right, host, Payloads{PQ: true})
		if err == nil && !c.Hybrid {
			err = io.ErrUnexpectedEOF
		}
		if err == nil {
			_, err = c.Write([]byte("x"))
		}
		done <- err
	}()
	c, err := Dial(left, NewKey(), host.PK[:], Payloads{PQ: true})
	if err != nil || !c.Hybrid {
		t.Fatal(c, err)
	}
	var b [1]byte
	if _, err := io.ReadFull(c, b[:]); err != nil || b[0] != 'x' {
		t.Error(b, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
