// SPDX-License-Identifier: ISC

package interop

import (
	"bufio"
	"bytes"
	"crypto/mlkem"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/flynn/noise"
	"github.com/hashicorp/yamux"
)

// PubKey travels as its 33 bytes.
type PubKey [33]byte

// MarshalBinary is gob's.
func (k PubKey) MarshalBinary() ([]byte, error) { return k[:], nil }

// UnmarshalBinary is gob's.
func (k *PubKey) UnmarshalBinary(b []byte) error {
	if len(b) != len(k) {
		return errors.New("not a public key")
	}
	copy(k[:], b)
	return nil
}

// SHA256 is an object's hash.
type SHA256 [32]byte

// Addr is a port of a key.
type Addr struct {
	PK   PubKey
	Port uint16
}

// StreamRequest is what a dialer sends, in its newest shape.
type DmsgRequest struct {
	Timestamp int64
	SrcAddr   Addr
	DstAddr   Addr
	IPinfo    bool
	GeoInfo   bool
	NoiseMsg  []byte
}

// StreamResponse is what a listener answers.
type DmsgResponse struct {
	ReqHash  SHA256
	Accepted bool
	IP       []byte
	ErrCode  uint16
	NoiseMsg []byte
}

// Sign makes the 65 bytes r, s, recovery id over SHA-256 of b.
func (k Key) Sign(b []byte) []byte {
	h := sha256.Sum256(b)
	c := ecdsa.SignCompact(k.sk, h[:], true)
	return append(c[1:], c[0]-27-4)
}

// Verify says whether pk signed b.
func Verify(pk [33]byte, b, sig []byte) error {
	if len(sig) != 65 || sig[32]&0x80 != 0 || sig[64] > 3 {
		return errors.New("malformed signature")
	}
	h := sha256.Sum256(b)
	got, _, err := ecdsa.RecoverCompact(append([]byte{sig[64] + 27 + 4}, sig[:64]...), h[:])
	if err != nil {
		return err
	}
	if !bytes.Equal(got.SerializeCompressed(), pk[:]) {
		return errors.New("signed by another key")
	}
	return nil
}

func signed(k Key, v any) []byte {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		panic(err)
	}
	return append(k.Sign(b.Bytes()), b.Bytes()...)
}

func unsigned(obj []byte, v any) error {
	if len(obj) <= 65 {
		return errors.New("short object")
	}
	return gob.NewDecoder(bytes.NewReader(obj[65:])).Decode(v)
}

// session is either side of a client's session with a server.
type session struct {
	peer       [33]byte
	raw        net.Conn
	mux        *yamux.Session
	mu         sync.Mutex
	send, recv *noise.CipherState
	counter    uint64
}

func newSession(c *Conn, client bool) (*session, error) {
	conf := yamux.DefaultConfig()
	conf.LogOutput = io.Discard
	conf.AcceptBacklog = 1024
	s := &session{peer: c.Peer, raw: c.Conn, send: c.send, recv: c.recv}
	var err error
	if client {
		s.mux, err = yamux.Client(c.Conn, conf)
	} else {
		s.mux, err = yamux.Server(c.Conn, conf)
	}
	return s, err
}

func (s *session) writeObject(w io.Writer, obj []byte) error {
	s.mu.Lock()
	s.counter++
	s.send.SetNonce(s.counter)
	b, err := s.send.Encrypt(binary.BigEndian.AppendUint64(nil, s.counter), nil, obj)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
	return err
}

func (s *session) readObject(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(head[:]))
	if len(b) < 24 {
		return nil, errors.New("no object")
	}
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recv.SetNonce(binary.BigEndian.Uint64(b))
	return s.recv.Decrypt(nil, nil, b[8:])
}

// --- server ---

// Second is what a server does with a second session of a key.
type Second int

const (
	// SecondReplaces ends the one before, as the newest servers do.
	SecondReplaces Second = iota
	// SecondForgotten counts, too, until the one before has ended: then
	// the key is struck off the list, whoever stands there by now.
	SecondForgotten
	// SecondRefused is closed at once, and the first is struck off.
	SecondRefused
)

// DmsgServer relays streams between its clients.
type DmsgServer struct {
	Key      Key
	Faults   func(from, to [33]byte, obj []byte, response bool) [][]byte // instead of obj
	Mute     bool                                                        // never answers a handshake
	Second   Second
	Shut     func(peer [33]byte) bool                           // ends a session of his at once
	OldStyle bool                                               // bytes behind message 3 end it, refusals hang
	Slow     atomic.Int64                                       // with message 2, a time.Duration
	Limit    time.Duration                                      // for a stream to open; 5 s
	Harm     func(from *session, st net.Conn, to [33]byte) bool // in place of relaying
	mu       sync.Mutex
	sessions map[[33]byte]*session
	Requests [][]byte // that passed, signed
	conns    []net.Conn
}

// Serve accepts clients.
func (d *DmsgServer) Serve(l net.Listener) {
	d.sessions = map[[33]byte]*session{}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		d.conns = append(d.conns, c)
		d.mu.Unlock()
		go d.serve(c)
	}
}

// Cut ends every connection at once.
func (d *DmsgServer) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.conns {
		c.Close()
	}
	d.conns = nil
}

// bufferedConn reads as much as there is.  A slow one takes its time before it
// writes, and a quarter of that before it looks at what has come then.
type bufferedConn struct {
	net.Conn
	r     *bufio.Reader
	slow  time.Duration
	wrote bool
}

func (b *bufferedConn) Write(p []byte) (int, error) {
	if !b.wrote {
		time.Sleep(b.slow)
	}
	b.wrote = true
	return b.Conn.Write(p)
}

func (b *bufferedConn) Read(p []byte) (int, error) {
	if b.wrote && b.slow != 0 {
		time.Sleep(b.slow / 4)
		b.slow = 0
	}
	return b.r.Read(p)
}

func (d *DmsgServer) serve(c net.Conn) {
	defer c.Close()
	if d.Mute {
		time.Sleep(time.Minute)
		return
	}
	c.SetDeadline(time.Now().Add(30 * time.Second))
	read := &bufferedConn{Conn: c, r: bufio.NewReaderSize(c, 65536), slow: time.Duration(d.Slow.Load())}
	conn, err := Accept(read, d.Key, Payloads{PQ: true})
	if err != nil {
		return
	}
	// The original's reader of handshakes took whatever there was, and what
	// it had got behind message 3 was lost.  A slow one has got all that was
	// sent at once.
	if d.OldStyle && read.r.Buffered() != 0 {
		return
	}
	c.SetDeadline(time.Time{})
	s, err := newSession(conn, false)
	if err != nil {
		return
	}
	if d.Shut != nil && d.Shut(s.peer) {
		s.mux.Close()
		return
	}
	d.mu.Lock()
	old := d.sessions[s.peer]
	d.sessions[s.peer] = s
	if old != nil && d.Second == SecondRefused {
		delete(d.sessions, s.peer)
	}
	d.mu.Unlock()
	if old != nil && d.Second == SecondRefused {
		s.mux.Close()
		return
	}
	if old != nil && d.Second == SecondReplaces {
		old.mux.Close()
	}
	for {
		st, err := s.mux.Accept()
		if err != nil {
			break
		}
		go d.relay(s, st)
	}
	d.mu.Lock()
	if d.Second != SecondReplaces || d.sessions[s.peer] == s {
		delete(d.sessions, s.peer)
	}
	d.mu.Unlock()
}

func (d *DmsgServer) pass(to *session, w io.Writer, from [33]byte, obj []byte, response bool) error {
	objs := [][]byte{obj}
	if d.Faults != nil {
		objs = d.Faults(from, to.peer, obj, response)
	}
	for _, o := range objs {
		if err := to.writeObject(w, o); err != nil {
			return err
		}
	}
	return nil
}

func (d *DmsgServer) relay(from *session, st net.Conn) {
	defer st.Close()
	limit := max(d.Limit, 30*time.Second)
	st.SetDeadline(time.Now().Add(limit))
	obj, err := from.readObject(st)
	var req DmsgRequest
	if err != nil || unsigned(obj, &req) != nil || Verify(req.SrcAddr.PK, obj[65:], obj[:65]) != nil ||
		req.SrcAddr.PK != from.peer || req.SrcAddr.Port == 0 || req.DstAddr.Port == 0 {
		return
	}
	if d.Harm != nil && d.Harm(from, st, req.DstAddr.PK) {
		return
	}
	d.mu.Lock()
	to := d.sessions[req.DstAddr.PK]
	if req.DstAddr.PK != from.peer {
		d.Requests = append(d.Requests, obj)
	}
	d.mu.Unlock()
	if to == nil {
		return
	}
	other, err := to.mux.Open()
	if err != nil {
		return
	}
	defer other.Close()
	other.SetDeadline(time.Now().Add(limit))
	if d.pass(to, other, from.peer, obj, false) != nil {
		return
	}
	answer, err := to.readObject(other)
	var resp DmsgResponse
	if err != nil || unsigned(answer, &resp) != nil ||
		Verify(req.DstAddr.PK, answer[65:], answer[:65]) != nil ||
		resp.ReqHash != sha256.Sum256(obj) || !resp.Accepted {
		if d.OldStyle {
			time.Sleep(20 * time.Second)
		}
		return
	}
	if d.pass(from, st, to.peer, answer, true) != nil {
		return
	}
	st.SetDeadline(time.Time{})
	other.SetDeadline(time.Time{})
	done := make(chan struct{}, 2)
	go func() { io.Copy(other, st); done <- struct{}{} }()
	go func() { io.Copy(st, other); done <- struct{}{} }()
	<-done
}

func (d *DmsgServer) session(pk [33]byte) *session {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sessions[pk]
}

// Open opens a stream to a client, without a request.
func (d *DmsgServer) Open(to [33]byte) (net.Conn, error) {
	s := d.session(to)
	if s == nil {
		return nil, errors.New("no session")
	}
	return s.mux.Open()
}

// Inject sends an object to a client as the request of a new stream.
func (d *DmsgServer) Inject(to [33]byte, obj []byte) (net.Conn, error) {
	st, err := d.Open(to)
	if err != nil {
		return nil, err
	}
	return st, d.session(to).writeObject(st, obj)
}

// ReadAnswer reads a client's response to an injected request.
func (d *DmsgServer) ReadAnswer(from [33]byte, st net.Conn) ([]byte, error) {
	return d.session(from).readObject(st)
}

// Has says whether a key has a session.
func (d *DmsgServer) Has(pk [33]byte) bool { return d.session(pk) != nil }

// Passed gives the requests that have passed.
func (d *DmsgServer) Passed() [][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.Requests[:len(d.Requests):len(d.Requests)]
}

// --- client ---

// DmsgClient has one session with one server.
type DmsgClient struct {
	Key Key
	PQ  bool
	// Limit for a dial; 10 s.
	Limit time.Duration
	s     *session
	port  uint16
	mu    sync.Mutex
}

// DialServer shakes hands with a server.
func (c *DmsgClient) DialServer(addr string, server [33]byte) error {
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	conn, err := Dial(raw, c.Key, server[:], Payloads{PQ: c.PQ})
	if err != nil {
		return err
	}
	time.Sleep(100 * time.Millisecond)
	c.s, err = newSession(conn, true)
	return err
}

// Close ends the session.
func (c *DmsgClient) Close() { c.s.mux.Close() }

func (c *DmsgClient) kk(initiator bool, peer [33]byte) (*noise.HandshakeState, error) {
	return noise.NewHandshakeState(noise.Config{CipherSuite: suite, Pattern: noise.HandshakeKK,
		Initiator: initiator, StaticKeypair: dhKey(c.Key), PeerStatic: peer[:]})
}

// dialing is a stream whose answer has not come yet.
type dialing struct {
	hs   *noise.HandshakeState
	dk   *mlkem.DecapsulationKey768
	peer [33]byte
	obj  []byte // signed request
}

// request makes what a key asks for a stream with.
func (c *DmsgClient) request(peer [33]byte, port uint16) (*dialing, error) {
	hs, err := c.kk(true, peer)
	if err != nil {
		return nil, err
	}
	dk, offer, err := Payloads{PQ: c.PQ}.offer()
	if err != nil {
		return nil, err
	}
	m1, _, _, err := hs.WriteMessage(nil, offer)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.port++
	own := 49152 + c.port%16384
	c.mu.Unlock()
	return &dialing{hs: hs, dk: dk, peer: peer, obj: signed(c.Key, DmsgRequest{Timestamp: time.Now().UnixNano(),
		SrcAddr: Addr{c.Key.PK, own}, DstAddr: Addr{peer, port}, NoiseMsg: m1})}, nil
}

// answered gives the stream, if the answer is one.
func (d *dialing) answered(st net.Conn, answer []byte) (*Conn, error) {
	var resp DmsgResponse
	if err := unsigned(answer, &resp); err != nil {
		return nil, err
	}
	if err := Verify(d.peer, answer[65:], answer[:65]); err != nil {
		return nil, err
	}
	if resp.ReqHash != sha256.Sum256(d.obj) || !resp.Accepted {
		return nil, fmt.Errorf("refused: %+v", resp)
	}
	payload, k1, k2, err := d.hs.ReadMessage(nil, resp.NoiseMsg)
	if err != nil {
		return nil, err
	}
	secret, err := opened(d.dk, payload)
	h := d.hs.ChannelBinding()
	return &Conn{Conn: st, Hybrid: secret != nil, Peer: d.peer,
		send: hybrid(k1, secret, h), recv: hybrid(k2, secret, h)}, err
}

// DialStream opens a stream to a port of a key.
func (c *DmsgClient) DialStream(peer [33]byte, port uint16) (*Conn, error) {
	d, err := c.request(peer, port)
	if err != nil {
		return nil, err
	}
	st, err := c.s.mux.Open()
	if err != nil {
		return nil, err
	}
	if err := c.s.writeObject(st, d.obj); err != nil {
		return nil, err
	}
	st.SetReadDeadline(time.Now().Add(max(c.Limit, 60*time.Second)))
	answer, err := c.s.readObject(st)
	if err != nil {
		st.Close()
		return nil, fmt.Errorf("no response: %w", err)
	}
	st.SetReadDeadline(time.Time{})
	return d.answered(st, answer)
}

// Accept waits for a stream to one of our ports.
func (c *DmsgClient) Accept() (*Conn, uint16, error) {
	for {
		st, err := c.s.mux.Accept()
		if err != nil {
			return nil, 0, err
		}
		conn, port, err := c.answer(st)
		if err == nil {
			return conn, port, nil
		}
		st.Close()
	}
}

func (c *DmsgClient) answer(st net.Conn) (*Conn, uint16, error) {
	obj, err := c.s.readObject(st)
	if err != nil {
		return nil, 0, err
	}
	var req DmsgRequest
	if err := unsigned(obj, &req); err != nil {
		return nil, 0, err
	}
	if err := Verify(req.SrcAddr.PK, obj[65:], obj[:65]); err != nil {
		return nil, 0, err
	}
	if req.DstAddr.PK != c.Key.PK {
		return nil, 0, errors.New("for somebody else")
	}
	hs, err := c.kk(false, req.SrcAddr.PK)
	if err != nil {
		return nil, 0, err
	}
	offer, _, _, err := hs.ReadMessage(nil, req.NoiseMsg)
	if err != nil {
		return nil, 0, err
	}
	secret, payload := Payloads{PQ: c.PQ}.answer(offer)
	m2, k1, k2, err := hs.WriteMessage(nil, payload)
	if err != nil {
		return nil, 0, err
	}
	err = c.s.writeObject(st, signed(c.Key,
		DmsgResponse{ReqHash: sha256.Sum256(obj), Accepted: true, NoiseMsg: m2}))
	h := hs.ChannelBinding()
	return &Conn{Conn: st, Hybrid: secret != nil, Peer: req.SrcAddr.PK,
		send: hybrid(k2, secret, h), recv: hybrid(k1, secret, h)}, req.DstAddr.Port, err
}
