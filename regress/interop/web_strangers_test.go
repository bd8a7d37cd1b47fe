// SPDX-License-Identifier: ISC

package interop

// Whoever is not let in: what he gets, and that he is in nobody's way.

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// status is how a request is answered, 0 if it is not.
func status(c net.Conn, request string) int {
	if _, err := io.WriteString(c, request); err != nil {
		return 0
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	return resp.StatusCode
}

// Nothing but a terminal of ours is offered, and that only to our own page in a
// browser that is let in.
func TestWebUpgrades(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	own := "http://" + w.addr()
	protocols := []string{"", "skypty.1", "skypty.sftp", "http", "host", "launcher", "listener", "monitor",
		"door", "inside", "default", "ws", "raw", "skypty.2", "SKYPTY.1", "skypty.1x", "host, monitor",
		strings.Repeat("x", 60), strings.Repeat("y, ", 60)}
	origins := []string{"", own, "null", "http://evil.test", own + ".evil.test", "https://" + w.addr()}
	cookies := []string{"", "Cookie: a=b\r\n", "Cookie: " + w.cookie[:len(w.cookie)-1] + "\r\n",
		"Cookie: " + w.cookie + "0\r\n", "Cookie: " + w.cookie + "\r\n"}
	hosts := []string{w.addr(), "inside", "default", "evil.test"}
	for _, host := range hosts {
		for _, cookie := range cookies {
			for _, origin := range origins {
				for _, protocol := range protocols {
					if host != w.addr() && (protocol != "host" || origin != own) {
						continue // a few will do
					}
					request := "GET / HTTP/1.1\r\nHost: " + host + "\r\n" + cookie +
						"Connection: Upgrade\r\nUpgrade: websocket\r\n" +
						"Sec-WebSocket-Version: 13\r\n" +
						"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
					if origin != "" {
						request += "Origin: " + origin + "\r\n"
					}
					if protocol != "" {
						request += "Sec-WebSocket-Protocol: " + protocol + "\r\n"
					}
					good := host == w.addr() && cookie == cookies[len(cookies)-1] &&
						(origin == "" || origin == own) &&
						(protocol == "" || protocol == "skypty.1" || protocol == "skypty.sftp")
					c := w.plain(t)
					got := status(c, request+"\r\n")
					_ = c.Close()
					if good && got != 101 || !good && (got == 101 || got >= 200 && got < 400) {
						t.Errorf("%d for host %q, protocol %q, origin %q, %q", got, host, protocol, origin,
							cookie)
					}
				}
			}
		}
	}
}

// Who asks for what is no terminal, in numbers, is not held either.
func TestWebManyUpgrades(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	x := w.shell(t)
	for _, head := range []string{
		strings.Replace(w.upgrade("Sec-WebSocket-Protocol: host\r\nOrigin: http://evil.test\r\n"), w.cookie,
			"a=b", 1),
		"CONNECT a.test:1 HTTP/1.1\r\nHost: " + w.addr() + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: " + w.addr() + "\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n",
	} {
		for range 300 {
			_, _ = io.WriteString(w.plain(t), head)
		}
		if s := w.withCookie(t, w.cookie); s != 200 {
			t.Errorf("%q: %d", head, s)
		}
		if s := get(t, w.base, nil).StatusCode; s != 401 {
			t.Errorf("%q: %d for a stranger", head, s)
		}
	}
	x.typed("echo not alone\r")
	x.until("\rnot alone")
	w.shell(t)
}

// flood holds half a request open on n connections, from addresses in turn, and
// again when one is dropped.
func (w *web) flood(t testing.TB, n int, addresses ...string) (stop func(), made *atomic.Int64) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	made = &atomic.Int64{}
	for i := range n {
		all.Add(1)
		go func() {
			defer all.Done()
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addresses[i%len(addresses)])}}
			for ctx.Err() == nil {
				c, err := d.DialContext(ctx, "tcp", w.addr())
				if err == nil {
					made.Add(1)
					_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nX: ")
					end := context.AfterFunc(ctx, func() { _ = c.Close() })
					_, _ = io.Copy(io.Discard, c)
					end()
					_ = c.Close()
				}
				select {
				case <-ctx.Done():
				case <-time.After(500 * time.Millisecond):
				}
			}
		}()
	}
	return func() {
		cancel()
		all.Wait()
	}, made
}

// Half requests, from one address or many, keep nobody out.
func TestWebStarved(t *testing.T) {
	t.Parallel()
	_, sock := webDaemon(t)
	w := startWeb(t, sock)
	x := w.shell(t)
	many := []string{}
	for i := range 20 {
		many = append(many, fmt.Sprintf("127.0.0.%d", 10+i))
	}
	for name, addresses := range map[string][]string{"one": {"127.0.0.1"}, "many": many} {
		// Somebody elsewhere takes his time for a request.
		slow, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).Dial("tcp", w.addr())
		if err != nil {
			t.Fatal(err)
		}
		_ = slow.SetDeadline(time.Now().Add(60 * time.Second))
		_, _ = io.WriteString(slow, "GET / HTTP/1.1\r\n")
		stop, made := w.flood(t, 400, addresses...)
		eventually(t, "a flood", func() bool { return made.Load() > 400 })
		if s := status(slow, "Host: "+w.addr()+"\r\nCookie: "+w.cookie+"\r\n\r\n"); s != 200 {
			t.Errorf("%s: %d for one who is slow", name, s)
		}
		// Who shares the flood's address may have to try again.
		for _, from := range []string{"127.0.0.2", "127.0.0.1"} {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
			client := &http.Client{Timeout: 10 * time.Second,
				Transport: &http.Transport{DisableKeepAlives: true, DialContext: d.DialContext}}
			for i := range 20 {
				want := []int{200, 401}[i%2]
				eventually(t, "an answer", func() bool {
					req, _ := http.NewRequest("GET", w.base, nil)
					if want == 200 {
						req.Header.Set("Cookie", w.cookie)
					}
					resp, err := client.Do(req)
					if err == nil {
						_ = resp.Body.Close()
					}
					if from == "127.0.0.2" && err != nil || err == nil && resp.StatusCode != want {
						t.Errorf("%s, from %s: %v, %v; want %d", name, from, resp, err, want)
					}
					return err == nil
				})
			}
		}
		x.typed("echo not alo''ne\r")
		x.until("not alone\r")
		x.out = nil
		w.from = "127.0.0.2"
		_ = w.shell(t).c.CloseNow()
		stop()
		_ = slow.Close()
	}
}
