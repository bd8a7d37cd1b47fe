// SPDX-License-Identifier: ISC

package interop

// Strangers who open streams without end keep nobody out who is listed, neither
// by the relay that they use nor by another one, nor over TCP.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// floodWith opens streams at a rate by a server and leaves them, until stopped;
// count tells how many there were.
func floodWith(t testing.TB, s *DmsgServer, host [33]byte, rate int, request func() []byte) (count func() int, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var made atomic.Int32
	wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		var held []net.Conn
		for start := time.Now(); ; {
			select {
			case <-ctx.Done():
				for _, st := range held {
					_ = st.Close()
				}
				return
			case <-tick.C:
			}
			due := int(time.Since(start).Seconds()*float64(rate)) - int(made.Load())
			for range min(due, 20) {
				st, err := s.Inject(host, request())
				if err != nil {
					t.Error("the relay's session has ended: ", err)
					return
				}
				held = append(held, st)
				made.Add(1)
			}
			for len(held) > 1200 {
				_ = held[0].Close()
				held = held[1:]
			}
		}
	})
	return func() int { return int(made.Load()) }, func() {
		cancel()
		wg.Wait()
	}
}

// requests are made in advance: it is the host that is to be busy.
func requests(t testing.TB, n int, make func() []byte) func() []byte {
	t.Helper()
	var all [][]byte
	for range n {
		all = append(all, make())
	}
	i := 0
	return func() []byte {
		i++
		return all[i%n]
	}
}

// servesWhile logs in again and again until there were so many streams.
func (h *dmsgHost) servesWhile(t testing.TB, c *DmsgClient, what string, count func() int, until int) {
	t.Helper()
	for i := 0; i < 5 || count() < until; i++ {
		st, err := c.DialStream(h.key.PK, 22)
		if err != nil {
			t.Errorf("login %d %s: %v", i, what, err)
			continue
		}
		if out, err := execOver(st, "echo", "alive"); err != nil || out != "alive\n" {
			t.Errorf("login %d %s: %q, %v", i, what, out, err)
		}
		_ = st.Close()
	}
}

// The rates at which nobody came in once.
func TestDmsgFlood(t *testing.T) {
	for _, rate := range []int{100, 300} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) { dmsgFlood(t, rate) })
	}
}

func dmsgFlood(t *testing.T, rate int) {
	o := newOverlay(t, 2)
	h := o.host(t, nil).ready(t)
	by0, by1 := o.client(t, h.client, 0), o.client(t, h.client, 1)
	count, stop := floodWith(t, o.servers[0], h.key.PK, rate,
		requests(t, 600, func() []byte { return forge(t, NewKey(), h.key.PK, nil) }))
	eventually(t, "the flood", func() bool { return count() > rate })
	h.servesWhile(t, by0, "by the flooded relay", count, 3*rate)
	h.servesWhile(t, by1, "by another relay", count, 5*rate)
	stop()
	h.serves(t, by0)
	h.steady(t)
}

// A relay that makes up requests of a listed key keeps out who comes by it, and
// nobody else.
func TestDmsgFloodForged(t *testing.T) {
	o := newOverlay(t, 2)
	h := o.host(t, nil).ready(t)
	by1 := o.client(t, h.client, 1)
	count, stop := floodWith(t, o.servers[0], h.key.PK, 300,
		requests(t, 100, func() []byte { return forge(t, h.client, h.key.PK, nil) }))
	eventually(t, "the flood", func() bool { return count() > 300 })
	h.servesWhile(t, by1, "by another relay", count, 1000)
	stop()
	h.steady(t)
}

// What is said of a stream before its key is proven says so.
func TestDmsgClaimsInLog(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	h := o.host(t, map[string]any{"handshake_timeout": 10}).ready(t)
	st, err := o.servers[0].Inject(h.key.PK, forge(t, h.client, h.key.PK, nil))
	if err != nil {
		t.Fatal(err)
	}
	_ = ends(t, st, time.Minute)
	eventually(t, "a line", func() bool {
		return h.said("dmsg, claims " + h.client.Hex() + ": Handshake not finished")
	})
	h.serves(t, o.client(t, h.client, 0))
	eventually(t, "a line", func() bool {
		return h.said("dmsg " + h.client.Hex() + ": Accepted key " + h.client.Hex())
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	if line := regexp.MustCompile(`(?m)^.*: dmsg [0-9a-f]{66}: .*not finished.*$`).FindString(h.log.String()); line != "" {
		t.Error(errors.New(line))
	}
}
