// SPDX-License-Identifier: ISC

package interop

// Dialers, dmsg servers and discoveries that mean harm, break or stall, against
// skyptyd.

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// count is how often the host's log has a text.
func (h *dmsgHost) count(text string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Count(h.log.String(), text)
}

// steady fails the test if dmsg or a connection was ended as faulty.
func (h *dmsgHost) steady(t testing.TB) {
	t.Helper()
	for _, text := range []string{"dmsg ended", "refused: unknown", "net: request", "dmsg: request"} {
		if h.said(text) {
			t.Errorf("the host's log has %q", text)
		}
	}
}

// serves fails the test unless a command runs over a server.
func (h *dmsgHost) serves(t testing.TB, c *DmsgClient) {
	t.Helper()
	st, err := c.DialStream(h.key.PK, 22)
	if err != nil {
		t.Fatal("no good stream: ", err)
	}
	defer st.Close()
	if out, err := execOver(st, "echo", "alive"); err != nil || out != "alive\n" {
		t.Fatalf("a good stream: %q, %v", out, err)
	}
}

// forge makes a signed request of k's, changed at will before it is signed.
func forge(t testing.TB, k Key, host [33]byte, change func(*DmsgRequest)) []byte {
	t.Helper()
	c := &DmsgClient{Key: k}
	hs, err := c.kk(true, host)
	if err != nil {
		t.Fatal(err)
	}
	m1, _, _, err := hs.WriteMessage(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	q := DmsgRequest{Timestamp: time.Now().UnixNano(), SrcAddr: Addr{k.PK, 50000},
		DstAddr: Addr{host, 22}, NoiseMsg: m1}
	if change != nil {
		change(&q)
	}
	return signed(k, q)
}

// ends reads to a stream's end, which is due within a limit.
func ends(t testing.TB, st net.Conn, limit time.Duration) []byte {
	t.Helper()
	defer st.Close()
	_ = st.SetReadDeadline(time.Now().Add(limit))
	b, err := io.ReadAll(st)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the stream does not end within %v", limit)
	}
	return b
}

// recorded keeps what is written to a connection.
type recorded struct {
	net.Conn
	sent bytes.Buffer
}

func (r *recorded) Write(p []byte) (int, error) {
	r.sent.Write(p)
	return r.Conn.Write(p)
}

func TestDmsgReplay(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	s := o.servers[0]
	h := o.host(t, map[string]any{"handshake_timeout": 10}).ready(t)
	c := o.client(t, h.client, 0)
	st, err := c.DialStream(h.key.PK, 22)
	if err != nil {
		t.Fatal(err)
	}
	wire := &recorded{Conn: st.Conn}
	st.Conn = wire
	if out, err := execOver(st, "echo", "once"); err != nil || out != "once\n" {
		t.Fatalf("%q, %v", out, err)
	}
	st.Close()
	request, sent := s.Passed()[0], wire.sent.Bytes()
	const accepted = "Accepted key"
	if h.count(accepted) != 1 {
		t.Fatal("the good stream was not logged")
	}
	other, err := c.DialStream(h.key.PK, 22)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	foreign := (&Conn{Conn: other.Conn, send: other.send}).Body([]byte("\x0bdmsgpty/pty"))
	behind := map[string][]byte{
		"nothing":       nil,
		"the recording": sent,
		"another's":     append(binary.BigEndian.AppendUint16(nil, uint16(len(foreign))), foreign...),
		"garbage":       append([]byte{0, 60}, bytes.Repeat([]byte{0xa5}, 60)...),
		"counter 0":     append([]byte{0, 60}, make([]byte, 60)...),
		"no tag":        {0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 1},
		"empty frame":   {0, 0},
		"huge frame":    append([]byte{0xff, 0xff}, bytes.Repeat([]byte{0xa5}, 0xffff)...),
		"half a frame":  {0xff, 0xff, 1, 2, 3},
		"a megabyte":    bytes.Repeat([]byte{1, 0xa5}, 1<<19),
	}
	before := s.session(h.key.PK)
	var wg sync.WaitGroup
	for name, b := range behind {
		wg.Go(func() {
			st, err := s.Inject(h.key.PK, request)
			if err != nil {
				t.Error(name, err)
				return
			}
			_ = st.SetReadDeadline(time.Now().Add(60 * time.Second))
			answer, err := s.ReadAnswer(h.key.PK, st)
			var resp DmsgResponse
			if err != nil || unsigned(answer, &resp) != nil || !resp.Accepted ||
				resp.ReqHash != sha256.Sum256(request) ||
				Verify(h.key.PK, answer[65:], answer[:65]) != nil {
				t.Errorf("%s: no response to a replay: %v", name, err)
			}
			_ = st.SetWriteDeadline(time.Now().Add(60 * time.Second))
			_, _ = st.Write(b)
			if got := ends(t, st, 50*time.Second); len(got) != 0 {
				t.Errorf("%s: %d bytes behind the response", name, len(got))
			}
		})
	}
	wg.Wait()
	if n := h.count(accepted); n != 1 {
		t.Errorf("a key was accepted %d times", n)
	}
	if s.session(h.key.PK) != before {
		t.Error("the session did not stay")
	}
	h.serves(t, c)
	h.steady(t)
}

func TestDmsgUnlisted(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	h := o.host(t, nil).ready(t)
	stranger := o.client(t, NewKey(), 0)
	for _, uri := range []string{"dmsgpty/pty", "dmsgpty/exec-stream", "no/such"} {
		st, err := stranger.DialStream(h.key.PK, 22)
		if err != nil {
			t.Fatal(err)
		}
		_ = st.SetReadDeadline(time.Now().Add(60 * time.Second))
		answer, err := Open(st, uri)
		if err != nil || answer != 1 {
			t.Errorf("%s: %d, %v", uri, answer, err)
		}
		if b, err := io.ReadAll(st); len(b) != 0 || err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: behind the refusal: %q, %v", uri, b, err)
		}
		st.Close()
	}
	if h.said("Accepted key") {
		t.Error("a stranger's key was accepted")
	}
	h.serves(t, o.client(t, h.client, 0))
	h.steady(t)
}

// badRequests are objects that a listener must not answer.
func badRequests(t testing.TB, h *dmsgHost) map[string][]byte {
	k, host := h.client, h.key.PK
	good := forge(t, k, host, nil)
	var text bytes.Buffer
	_ = gob.NewEncoder(&text).Encode("a text")
	flip := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 0x10
		return b
	}
	return map[string][]byte{
		"wrong port":       forge(t, k, host, func(q *DmsgRequest) { q.DstAddr.Port = 23 }),
		"port 0":           forge(t, k, host, func(q *DmsgRequest) { q.DstAddr.Port = 0 }),
		"source port 0":    forge(t, k, host, func(q *DmsgRequest) { q.SrcAddr.Port = 0 }),
		"timestamp 0":      forge(t, k, host, func(q *DmsgRequest) { q.Timestamp = 0 }),
		"timestamp below":  forge(t, k, host, func(q *DmsgRequest) { q.Timestamp = -1 }),
		"for another":      forge(t, k, host, func(q *DmsgRequest) { q.DstAddr.PK = k.PK }),
		"for nobody":       forge(t, k, host, func(q *DmsgRequest) { q.DstAddr.PK = PubKey{} }),
		"from nobody":      forge(t, k, host, func(q *DmsgRequest) { q.SrcAddr.PK = PubKey{} }),
		"no point":         forge(t, k, host, func(q *DmsgRequest) { q.SrcAddr.PK = PubKey{2, 5: 1} }),
		"x over the field": forge(t, k, host, func(q *DmsgRequest) { copy(q.SrcAddr.PK[:], "\x02"+strings.Repeat("\xff", 32)) }),
		"an odd prefix":    forge(t, k, host, func(q *DmsgRequest) { q.SrcAddr.PK[0] = 4 }),
		"from the host":    forge(t, k, host, func(q *DmsgRequest) { q.SrcAddr.PK = host }),
		"from a stranger":  forge(t, k, host, func(q *DmsgRequest) { q.SrcAddr.PK = NewKey().PK }),
		"no message":       forge(t, k, host, func(q *DmsgRequest) { q.NoiseMsg = nil }),
		"short message":    forge(t, k, host, func(q *DmsgRequest) { q.NoiseMsg = q.NoiseMsg[:48] }),
		"garbage message":  forge(t, k, host, func(q *DmsgRequest) { q.NoiseMsg = bytes.Repeat([]byte{2}, 49) }),
		"flipped message":  forge(t, k, host, func(q *DmsgRequest) { q.NoiseMsg[40] ^= 1 }),
		"cut message":      forge(t, k, host, func(q *DmsgRequest) { q.NoiseMsg = q.NoiseMsg[:1] }),
		"big message":      forge(t, k, host, func(q *DmsgRequest) { q.NoiseMsg = make([]byte, 60000) }),
		"a text":           append(k.Sign(text.Bytes()), text.Bytes()...),
		"a response":       signed(k, DmsgResponse{Accepted: true, NoiseMsg: []byte("x")}),
		"signature only":   good[:65],
		"short":            good[:40],
		"cut":              good[:len(good)-9],
		"half":             good[:len(good)/2],
		"bad gob":          append(bytes.Clone(good[:65]), bytes.Repeat([]byte{0xff}, 200)...),
		"flipped type":     flip(70),
		"zeros":            make([]byte, 300),
		"64 KB of zeros":   make([]byte, 0xffff-24),
		"empty":            {},
	}
}

// badBytes are streams that never come to hold a request.
func badBytes(s *session, good []byte) map[string][]byte {
	var sealed bytes.Buffer
	_ = s.writeObject(&sealed, good)
	b := sealed.Bytes()
	flipped := bytes.Clone(b)
	flipped[30] ^= 1
	late := bytes.Clone(b)
	late[9]++
	return map[string][]byte{
		"length 0":      {0, 0},
		"length 1":      {0, 1, 7},
		"length 23":     append([]byte{0, 23}, make([]byte, 23)...),
		"unsealed":      append(binary.BigEndian.AppendUint16(nil, uint16(len(good))), good...),
		"flipped":       flipped,
		"other counter": late,
		"64 KB":         append([]byte{0xff, 0xff}, make([]byte, 0xffff)...),
		"more behind":   append([]byte{0, 24}, make([]byte, 300000)...),
	}
}

func TestDmsgBadRequests(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	s := o.servers[0]
	// A stream that is refused as it should be is not closed by its limit.
	h := o.host(t, map[string]any{"handshake_timeout": 60, "maxstartups": "1000", "maxperaddr": 1000}).ready(t)
	before := s.session(h.key.PK)
	var wg sync.WaitGroup
	for name, obj := range badRequests(t, h) {
		wg.Go(func() {
			st, err := s.Inject(h.key.PK, obj)
			if err != nil {
				t.Error(name, err)
			} else if b := ends(t, st, 50*time.Second); len(b) != 0 {
				t.Errorf("%s: answered by %d bytes", name, len(b))
			}
		})
	}
	for name, b := range badBytes(before, forge(t, h.client, h.key.PK, nil)) {
		wg.Go(func() {
			st, err := s.Open(h.key.PK)
			if err != nil {
				t.Error(name, err)
				return
			}
			_, _ = st.Write(b)
			if b := ends(t, st, 50*time.Second); len(b) != 0 {
				t.Errorf("%s: answered by %d bytes", name, len(b))
			}
		})
	}
	wg.Wait()
	// One that is cut off ends with its stream, not before.
	st, err := s.Open(h.key.PK)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = st.Write([]byte{1, 0, 0, 0, 0})
	time.Sleep(100 * time.Millisecond)
	_ = st.Close()
	if s.session(h.key.PK) != before || h.said("Accepted key") {
		t.Error("the session did not stay, or a key was accepted")
	}
	h.serves(t, o.client(t, h.client, 0))
	if s.session(h.key.PK) != before {
		t.Error("the session is another")
	}
	h.steady(t)
}
