// SPDX-License-Identifier: ISC

package interop

// How long skypty waits for a host, whatever that says meanwhile.

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fastTime lets a program's time run faster.
func fastTime(t testing.TB, times int) []string {
	t.Helper()
	preload, err := filepath.Abs("../../" + preloads() + "/fast_time.so")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(preload); err != nil {
		t.Skip("without the preload of the tests: ", err)
	}
	return []string{"LD_PRELOAD=" + preload, fmt.Sprint("FAST_TIME=", times),
		"ASAN_OPTIONS=verify_asan_link_order=0"}
}

// repeats says something again and again, until nobody listens.
func repeats(first, again string) func(*Conn) {
	return func(c *Conn) {
		go func() { _, _ = io.Copy(io.Discard, c) }()
		_, err := io.WriteString(c, first)
		for err == nil {
			time.Sleep(20 * time.Millisecond)
			_, err = io.WriteString(c, again)
		}
	}
}

// only gives a host that has this service and no other.
func only(uri string, service func(*Conn)) *Host {
	return &Host{Other: func(asked string) func(*Conn) {
		if asked == uri {
			return service
		}
		return nil
	}, Reject: false, Stream: ""}
}

const (
	started   = "\x04\x00\x00\x00\x00"
	keepalive = "\x00\x00\x00\x00\x00"
	oneByte   = "\x01\x00\x00\x00\x01x"
)

// A host that goes on talking does not put the command's end off.
func TestClientOwnTimeLimit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		uri          string
		first, again string
	}{
		"keepalives":           {"skypty/1/exec", started, keepalive},
		"output":               {"skypty/1/exec", started, oneByte},
		"windows":              {"skypty/1/exec", started, "\x03\x00\x00\x00\x04\x00\x00\x00\x00"},
		"never started":        {"skypty/1/exec", "", keepalive},
		"half a frame":         {"skypty/1/exec", started + "\x01\x00\x10\x00\x00", "x"},
		"chunks of keepalives": {StreamURIs[0], streamHead, chunk(keepalive)},
		"chunks of output":     {StreamURIs[0], streamHead, chunk(oneByte)},
		"100 Continue":         {StreamURIs[0], "", "HTTP/1.1 100 Continue\r\n\r\n"},
		"a head":               {StreamURIs[0], "HTTP/1.1 200 OK\r\nX: ", "x"},
		"a refusal": {StreamURIs[0], "HTTP/1.1 500 No\r\nContent-Type: text/plain\r\n" +
			"Transfer-Encoding: chunked\r\n\r\n", chunk("x")},
		"trailers": {StreamURIs[0], streamHead + "0\r\nX: ", "x"},
		"a reply":  {"dmsgpty/pty", "\xfc\x00\x10\x00\x00", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dest := goHost(t, only(c.uri, repeats(c.first, c.again)))
			got := skyptyWith(t, fastTime(t, 20), nil, "exec", "-t", "1s", "tcp://"+dest, "--", "true")
			if got.status != 124 || !strings.Contains(got.err, "has not told the command's end, 10 seconds after") {
				t.Errorf("%d, %q", got.status, got.err)
			}
		})
	}
}

// Nor does one that floods.
func TestClientOwnTimeLimitFlood(t *testing.T) {
	t.Parallel()
	const enough = 1 << 30
	output := "\x01\x00\x00\xff\xfb" + strings.Repeat("x", 0xfffb)
	for name, c := range map[string]struct {
		uri          string
		first, again string
	}{
		"keepalives":   {"skypty/1/exec", started, strings.Repeat(keepalive, 13000)},
		"output":       {"skypty/1/exec", started, output},
		"chunks":       {StreamURIs[0], streamHead, chunk(output)},
		"100 Continue": {StreamURIs[0], "", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 2000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := make(chan int, 1)
			dest := goHost(t, only(c.uri, func(conn *Conn) {
				go func() { _, _ = io.Copy(io.Discard, conn) }()
				_, err := io.WriteString(conn, c.first)
				n := 0
				for ; err == nil && n < enough; n += len(c.again) {
					_, err = io.WriteString(conn, c.again)
				}
				sent <- n
			}))
			got := skyptyWith(t, fastTime(t, 20), nil, "exec", "-t", "1s", "tcp://"+dest, "--", "true")
			if got.status != 124 || !strings.Contains(got.err, "has not told the command's end, 10 seconds after") {
				t.Errorf("%d, %q", got.status, got.err)
			}
			if n := <-sent; n >= enough {
				t.Errorf("after %d bytes", n)
			}
		})
	}
}

// What was on its way when the time was over still arrives.
func TestClientLateOutput(t *testing.T) {
	t.Parallel()
	const pieces, size = 100, 30000
	dest := goHost(t, only("skypty/1/exec", func(c *Conn) {
		go func() { _, _ = io.Copy(io.Discard, c) }()
		_, _ = io.WriteString(c, started)
		for range pieces {
			time.Sleep(50 * time.Millisecond)
			_, _ = c.Write(frame(1, make([]byte, size)))
		}
		_, _ = c.Write([]byte("\x06\x00\x00\x00\x0d\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\xe8"))
		time.Sleep(time.Minute)
	}))
	got := skyptyWith(t, fastTime(t, 10), nil, "exec", "-t", "1s", "tcp://"+dest, "--", "true")
	if got.status != 124 || len(got.out) != pieces*size || !strings.Contains(got.err, "[timed out after 1000ms]") {
		t.Errorf("%d, %d bytes, %q", got.status, len(got.out), got.err)
	}
}

// A host that says nothing is given up, by every command.
func TestClientSilentHost(t *testing.T) {
	t.Parallel()
	hang := func(c *Conn) { _, _ = io.Copy(io.Discard, c) }
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	dest := goHost(t, only(SFTPURI, hang))
	greeted := goHost(t, only(SFTPURI, func(c *Conn) {
		_, _ = c.Write([]byte("\x00\x00\x00\x05\x02\x00\x00\x00\x03"))
		hang(c)
	}))
	for name, args := range map[string][]string{
		"not greeted": {"cp", "--no-visor-key", file, dest + ":x"},
		"upload":      {"cp", "--no-visor-key", file, greeted + ":x"},
		"download":    {"cp", "--no-visor-key", greeted + ":x", file},
		"whitelist":   {"whitelist", "--cliaddr", socket},
		"exec":        {"exec", "-t", "0", goHost(t, only("skypty/1/exec", hang)), "--", "true"},
		"http":        {"exec", "-t", "0", goHost(t, only(StreamURIs[0], hang)), "--", "true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := skyptyWith(t, fastTime(t, 15), nil, args...)
			if got.status != 255 || !strings.Contains(got.err, "the host has not answered for 180 seconds") {
				t.Errorf("%d, %q", got.status, got.err)
			}
		})
	}
}
