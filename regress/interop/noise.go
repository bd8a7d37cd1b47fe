// SPDX-License-Identifier: ISC

// Package interop is an independent peer of the pty protocol, built from
// flynn/noise, decred's secp256k1 and the standard library's net/rpc and gob.
package interop

import (
	"crypto/hkdf"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/flynn/noise"
)

const (
	frameMax = 4094
	plainMax = 4070
)

// Key is an identity: a secp256k1 key pair.
type Key struct {
	sk *secp256k1.PrivateKey
	PK [33]byte
}

// NewKey makes a random identity.
func NewKey() Key {
	sk, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		panic(err)
	}
	return keyOf(sk)
}

func keyOf(sk *secp256k1.PrivateKey) (k Key) {
	k.sk = sk
	copy(k.PK[:], sk.PubKey().SerializeCompressed())
	return k
}

// ParseKey reads a secret key's hexadecimal digits.
func ParseKey(text string) (Key, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 32 {
		return Key{}, fmt.Errorf("not a secret key: %q", text)
	}
	return keyOf(secp256k1.PrivKeyFromBytes(b)), nil
}

// SK and Hex are the keys as text.
func (k Key) SK() string  { return hex.EncodeToString(k.sk.Serialize()) }
func (k Key) Hex() string { return hex.EncodeToString(k.PK[:]) }

// curve is the protocol's DH: SHA-256 of the compressed point, and a zero.
type curve struct{}

func (curve) GenerateKeypair(r io.Reader) (noise.DHKey, error) {
	if r == nil {
		r = rand.Reader
	}
	sk, err := secp256k1.GeneratePrivateKeyFromRand(r)
	if err != nil {
		return noise.DHKey{}, err
	}
	return dhKey(keyOf(sk)), nil
}

func (curve) DH(private, public []byte) ([]byte, error) {
	pub, err := secp256k1.ParsePubKey(public)
	if err != nil {
		return nil, err
	}
	var point, product secp256k1.JacobianPoint
	pub.AsJacobian(&point)
	sk := secp256k1.PrivKeyFromBytes(private)
	secp256k1.ScalarMultNonConst(&sk.Key, &point, &product)
	product.ToAffine()
	shared := secp256k1.NewPublicKey(&product.X, &product.Y)
	sum := sha256.Sum256(shared.SerializeCompressed())
	return append(sum[:], 0), nil
}

func (curve) DHLen() int     { return 33 }
func (curve) DHName() string { return "Secp256k1" }

func dhKey(k Key) noise.DHKey {
	return noise.DHKey{Private: k.sk.Serialize(), Public: k.PK[:]}
}

// Payloads says what a peer puts into its first handshake message.
type Payloads struct {
	First []byte // instead of nothing
	PQ    bool   // offer or accept ML-KEM, as the newest Go does

	ephemeral io.Reader // for known answers: the ephemeral key
	seed      []byte    // and that of ML-KEM
}

// offer makes message 1's payload, with the key that opens its answer.
func (p Payloads) offer() (*mlkem.DecapsulationKey768, []byte, error) {
	if !p.PQ {
		return nil, p.First, nil
	}
	dk, err := mlkem.GenerateKey768()
	if p.seed != nil {
		dk, err = mlkem.NewDecapsulationKey768(p.seed)
	}
	if err != nil {
		return nil, nil, err
	}
	return dk, dk.EncapsulationKey().Bytes(), nil
}

// answer makes message 2's payload, and the secret if there is to be one.
func (p Payloads) answer(offer []byte) (secret, payload []byte) {
	if !p.PQ {
		return nil, p.First
	}
	ek, err := mlkem.NewEncapsulationKey768(offer)
	if err != nil {
		return nil, nil
	}
	return ek.Encapsulate()
}

// opened gives the secret of message 2's payload, if there is one.
func opened(dk *mlkem.DecapsulationKey768, answer []byte) ([]byte, error) {
	if dk == nil || len(answer) != mlkem.CiphertextSize768 {
		return nil, nil
	}
	return dk.Decapsulate(answer)
}

// hybrid mixes an ML-KEM secret into a direction's key, if there is one.
func hybrid(c *noise.CipherState, secret, h []byte) *noise.CipherState {
	if secret == nil {
		return c
	}
	k := c.UnsafeKey()
	mixed, err := hkdf.Key(sha256.New, append(k[:], secret...), h, "skywire-pq-hybrid-v1", 32)
	if err != nil {
		panic(err)
	}
	return noise.UnsafeNewCipherState(suite, [32]byte(mixed), 0)
}

// Conn carries plaintext in transport frames.
type Conn struct {
	net.Conn
	send, recv *noise.CipherState
	Peer       [33]byte
	rest       []byte
	Hybrid     bool   // both sides had ML-KEM
	Counter    uint64 // of the last frame sent
	last       uint64
	Piece      int // bytes of plaintext a frame; 0: as many as fit
	write      sync.Mutex
}

func writeFrame(w io.Writer, body []byte) error {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(body)))
	_, err := w.Write(append(b, body...))
	return err
}

func readFrame(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head[:]))
	if n > frameMax {
		return nil, errors.New("frame too long")
	}
	body := make([]byte, n)
	_, err := io.ReadFull(r, body)
	return body, err
}

var suite = noise.NewCipherSuite(curve{}, noise.CipherChaChaPoly, noise.HashSHA256)

func state(k Key, initiator bool, peer []byte, ephemeral io.Reader) (*noise.HandshakeState, error) {
	return noise.NewHandshakeState(noise.Config{
		CipherSuite:   suite,
		Random:        ephemeral,
		Pattern:       noise.HandshakeXK,
		Initiator:     initiator,
		StaticKeypair: dhKey(k),
		PeerStatic:    peer,
	})
}

// Dial shakes hands as initiator on a connected stream.
func Dial(c net.Conn, k Key, host []byte, p Payloads) (*Conn, error) {
	hs, err := state(k, true, host, p.ephemeral)
	if err != nil {
		return nil, err
	}
	dk, first, err := p.offer()
	if err != nil {
		return nil, err
	}
	m1, _, _, err := hs.WriteMessage(nil, first)
	if err != nil {
		return nil, err
	}
	if err := writeFrame(c, m1); err != nil {
		return nil, err
	}
	m2, err := readFrame(c)
	if err != nil {
		return nil, err
	}
	answer, _, _, err := hs.ReadMessage(nil, m2)
	if err != nil {
		return nil, err
	}
	secret, err := opened(dk, answer)
	if err != nil {
		return nil, err
	}
	m3, k1, k2, err := hs.WriteMessage(nil, nil)
	if err != nil {
		return nil, err
	}
	if err := writeFrame(c, m3); err != nil {
		return nil, err
	}
	// The writer of the last message decrypts with the first key.
	h := hs.ChannelBinding()
	return &Conn{Conn: c, Hybrid: secret != nil,
		send: hybrid(k2, secret, h), recv: hybrid(k1, secret, h)}, nil
}

// Accept shakes hands as responder.
func Accept(c net.Conn, k Key, p Payloads) (*Conn, error) {
	hs, err := state(k, false, nil, p.ephemeral)
	if err != nil {
		return nil, err
	}
	m1, err := readFrame(c)
	if err != nil {
		return nil, err
	}
	offer, _, _, err := hs.ReadMessage(nil, m1)
	if err != nil {
		return nil, err
	}
	secret, payload := p.answer(offer)
	m2, _, _, err := hs.WriteMessage(nil, payload)
	if err != nil {
		return nil, err
	}
	if err := writeFrame(c, m2); err != nil {
		return nil, err
	}
	m3, err := readFrame(c)
	if err != nil {
		return nil, err
	}
	_, k1, k2, err := hs.ReadMessage(nil, m3)
	if err != nil {
		return nil, err
	}
	h := hs.ChannelBinding()
	conn := &Conn{Conn: c, Hybrid: secret != nil,
		send: hybrid(k1, secret, h), recv: hybrid(k2, secret, h)}
	copy(conn.Peer[:], hs.PeerStatic())
	return conn, nil
}

// Body seals one transport body with the next counter.
func (c *Conn) Body(plain []byte) []byte {
	c.Counter++
	c.send.SetNonce(c.Counter)
	out, err := c.send.Encrypt(binary.BigEndian.AppendUint64(nil, c.Counter), nil, plain)
	if err != nil {
		panic(err)
	}
	return out
}

// Write sends plaintext in as many frames as it takes.
func (c *Conn) Write(p []byte) (int, error) {
	c.write.Lock()
	defer c.write.Unlock()
	if c.send == nil { // somebody else has done the handshake
		return c.Conn.Write(p)
	}
	total := len(p)
	for len(p) > 0 {
		n := min(len(p), plainMax)
		if c.Piece > 0 {
			n = min(n, c.Piece)
		}
		if err := writeFrame(c.Conn, c.Body(p[:n])); err != nil {
			return 0, err
		}
		p = p[n:]
	}
	return total, nil
}

// Read gives the plaintext of frames as they come.
func (c *Conn) Read(p []byte) (int, error) {
	if c.recv == nil {
		return c.Conn.Read(p)
	}
	for len(c.rest) == 0 {
		body, err := readFrame(c.Conn)
		if err != nil {
			return 0, err
		}
		if len(body) < 8 {
			return 0, errors.New("short body")
		}
		n := binary.BigEndian.Uint64(body)
		if n <= c.last {
			return 0, errors.New("counter does not rise")
		}
		c.last = n
		c.recv.SetNonce(n)
		if c.rest, err = c.recv.Decrypt(nil, nil, body[8:]); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Open asks for a service and reads the answer's one byte.
func Open(c io.ReadWriter, uri string) (byte, error) {
	if _, err := c.Write(append([]byte{byte(len(uri))}, uri...)); err != nil {
		return 0, err
	}
	var answer [1]byte
	_, err := io.ReadFull(c, answer[:])
	return answer[0], err
}
