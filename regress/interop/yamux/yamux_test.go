// SPDX-License-Identifier: ISC

package yamux

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/yamux"
)

// roles runs a test with the C peer as either side of a session.
func roles(t *testing.T, test func(t *testing.T, role string)) {
	for _, role := range []string{"client", "server"} {
		t.Run(role, func(t *testing.T) { test(t, role) })
	}
}

// echo sends n bytes through a stream and compares what comes back.
func (p *peer) echo(command byte, n int, r *rand.Rand) {
	p.t.Helper()
	s := p.open(command)
	sent := sha256.New()
	sent.Write([]byte{command})
	go func() {
		for left := n; left > 0; {
			b := make([]byte, min(1+r.Intn(100000), left))
			r.Read(b)
			if _, err := s.Write(b); fail(p.t, "write", err) {
				return
			}
			sent.Write(b)
			left -= len(b)
			if r.Intn(10) == 0 {
				time.Sleep(time.Duration(r.Intn(3000)) * time.Microsecond)
			}
		}
		fail(p.t, "close", s.Close())
	}()
	got := sha256.New()
	k, err := io.Copy(got, s)
	if fail(p.t, "read", err) {
		return
	}
	if k != int64(n)+1 || string(got.Sum(nil)) != string(sent.Sum(nil)) {
		p.t.Errorf("stream %d: %d bytes sent, %d came back, or others", s.StreamID(), n+1, k)
	}
}

// Sizes about a frame of ours and about the window.
func TestEchoSizes(t *testing.T) {
	roles(t, func(t *testing.T, role string) {
		p := start(t, nil, role, "echo")
		r := rand.New(rand.NewSource(3))
		for _, n := range []int{0, 1, 16383, 16384, 131070, 131071, 131072, 262142, 262143, 262144, 5000000} {
			p.echo('e', n, r)
		}
		p.want(0)
		if _, err := p.Ping(); err != nil {
			t.Error(err)
		}
		p.finish()
	})
}

// resetEarly wants the stream to be reset under its writer.
func (p *peer) resetEarly() {
	s := p.open('r')
	var err error
	for i := 0; i < 1000 && err == nil; i++ {
		_, err = s.Write(make([]byte, 10000))
	}
	if err != yamux.ErrConnectionReset && err != yamux.ErrStreamClosed {
		p.t.Errorf("writing to a stream that was reset: %v", err)
	}
}

// Several hundred streams at once, of every kind; one that nobody reads
// stalls none of them.
func TestManyStreams(t *testing.T) {
	roles(t, func(t *testing.T, role string) {
		p := start(t, nil, role, "echo")
		stalled := p.open('z')
		go func() { _, _ = stalled.Write(make([]byte, 1000000)) }()
		var wg sync.WaitGroup
		for i := range 400 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				r := rand.New(rand.NewSource(int64(i)))
				switch {
				case i%10 == 3:
					p.resetEarly()
				case i%10 == 6:
					p.echo('s', r.Intn(60000), r)
				case i%40 == 0:
					p.echo('e', r.Intn(1500000), r)
				default:
					p.echo('e', r.Intn(40000), r)
				}
			}()
		}
		wg.Wait()
		p.want(1)
		p.finish()
	})
}

// xorshift is what the C peer writes: byte for byte, by stream id.
type xorshift uint32

func (x *xorshift) next() byte {
	*x ^= *x << 13
	*x ^= *x >> 17
	*x ^= *x << 5
	return byte(*x)
}

// sendBack echoes a stream of the C peer and checks what it carries.  It
// returns the bytes of one that came to its end.
func sendBack(t testing.TB, s *yamux.Stream) int {
	r := rand.New(rand.NewSource(int64(s.StreamID())))
	x := xorshift(s.StreamID()*2654435761 + 1)
	b := make([]byte, 1+r.Intn(100000))
	total := 0
	for {
		n, err := s.Read(b)
		for _, c := range b[:n] {
			if c != x.next() {
				t.Errorf("stream %d: a wrong byte", s.StreamID())
				return 0
			}
		}
		total += n
		if r.Intn(20) == 0 {
			time.Sleep(time.Duration(r.Intn(3000)) * time.Microsecond)
		}
		if n > 0 {
			if _, err := s.Write(b[:n]); err != nil {
				return 0 // it gave up
			}
		}
		if err != nil {
			_ = s.Close()
			if err != io.EOF {
				return 0
			}
			return total
		}
	}
}

// The C peer opens several hundred streams, resets some half way, and checks
// each byte that comes back.
func TestDriven(t *testing.T) {
	roles(t, func(t *testing.T, role string) {
		const streams = 500
		p := start(t, nil, role, "drive", fmt.Sprint(streams))
		var mu sync.Mutex
		var wg sync.WaitGroup
		total, accepted := 0, 0
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				s, err := p.AcceptStream()
				if err != nil {
					return
				}
				accepted++
				wg.Add(1)
				go func() {
					defer wg.Done()
					n := sendBack(t, s)
					mu.Lock()
					total += n
					mu.Unlock()
				}()
			}
		}()
		out := p.end()
		wg.Wait()
		var bytes, reset int
		if _, err := fmt.Sscanf(out, "%d bytes, %d reset\n", &bytes, &reset); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if accepted != streams || reset != streams/9 || bytes != total {
			t.Errorf("%d streams, %d bytes; the C peer: %s", accepted, total, out)
		}
	})
}

// What the Go side has no room for is reset, the rest opens.
func TestBacklog(t *testing.T) {
	roles(t, func(t *testing.T, role string) {
		p := start(t, func(c *yamux.Config) { c.AcceptBacklog = 8 }, role, "open", "20")
		p.want(8)
		for range 8 {
			if _, err := p.AcceptStream(); err != nil {
				t.Fatal(err)
			}
		}
		if out := p.end(); out != "8 opened, 12 reset\n" {
			t.Errorf("%q", out)
		}
	})
}

func TestGoAwayFromGo(t *testing.T) {
	roles(t, func(t *testing.T, role string) {
		p := start(t, nil, role, "away")
		if err := p.GoAway(); err != nil {
			t.Fatal(err)
		}
		if out := p.end(); out != "0, not permitted\n" {
			t.Errorf("%q", out)
		}
	})
}

func TestGoAwayFromC(t *testing.T) {
	roles(t, func(t *testing.T, role string) {
		p := start(t, nil, role, "echo")
		s := p.open('g')
		b := make([]byte, 1)
		if _, err := io.ReadFull(s, b); err != nil || b[0] != 'g' {
			t.Fatal(b, err)
		}
		if _, err := p.OpenStream(); err != yamux.ErrRemoteGoAway {
			t.Errorf("a stream after the go-away: %v", err)
		}
		if _, err := s.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(s, b); err != nil || b[0] != 'x' {
			t.Error(b, err)
		}
		_ = s.Close()
		p.want(0)
		p.finish()
	})
}

// The Go side gives up streams that the C side does not close.
func TestCloseTimeout(t *testing.T) {
	roles(t, func(t *testing.T, role string) {
		p := start(t, func(c *yamux.Config) { c.StreamCloseTimeout = 50 * time.Millisecond }, role, "echo")
		for range 50 {
			for _, command := range []byte("hz") {
				s := p.open(command)
				if _, err := s.Write(make([]byte, 3000)); err != nil {
					t.Fatal(err)
				}
				_ = s.Close()
			}
		}
		p.want(0)
		p.echo('e', 1000, rand.New(rand.NewSource(4)))
		p.want(0)
		p.finish()
	})
}

// Go's keepalive, at a pace that no missed answer would pass.
func TestKeepalive(t *testing.T) {
	roles(t, func(t *testing.T, role string) {
		p := start(t, func(c *yamux.Config) {
			c.KeepAliveInterval = 2 * time.Millisecond
			c.ConnectionWriteTimeout = 5 * time.Second
		}, role, "echo")
		p.echo('e', 3000000, rand.New(rand.NewSource(5)))
		time.Sleep(100 * time.Millisecond)
		if p.IsClosed() {
			t.Error("the session ended")
		}
		p.finish()
	})
}
