// SPDX-License-Identifier: ISC

package interop

// The other ways to a key: skyptyd's control socket, its own and the original's
// proxy on it, and a visor's bridge.

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// viaRun runs skypty without an identity of its own.
func viaRun(t testing.TB, stdin []byte, arg ...string) (string, string, int) {
	t.Helper()
	cmd := exec.Command(program(t, "SKYPTY", "skypty"), arg...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	cmd.Stdin = bytes.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	done := time.AfterFunc(60*time.Second, func() { cmd.Process.Kill() })
	defer done.Stop()
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// near and far are two hosts; the far one's whitelist holds the near one's key.
func nearAndFar(t *testing.T, servers int) (*overlay, *dmsgHost, *dmsgHost) {
	o := newOverlay(t, servers)
	near := o.host(t, nil).ready(t)
	far := o.host(t, map[string]any{"wl": []string{near.key.Hex()}}).ready(t)
	return o, near, far
}

func TestDmsgViaDaemon(t *testing.T) {
	t.Parallel()
	_, near, far := nearAndFar(t, 1)
	dest := far.key.Hex()
	t.Run("exec", func(t *testing.T) {
		out, errs, code := viaRun(t, []byte("in"), "exec", "--cliaddr", near.sock, dest, "--",
			"sh", "-c", "cat; echo err >&2; exit 7")
		if out != "in" || errs != "err\n" || code != 7 {
			t.Fatalf("%q %q %d", out, errs, code)
		}
	})
	t.Run("bulk", func(t *testing.T) {
		big := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
		out, errs, code := viaRun(t, big, "exec", "-t", "60s", "--cliaddr", near.sock, dest, "--", "cat")
		if sha256.Sum256([]byte(out)) != sha256.Sum256(big) || code != 0 {
			t.Fatalf("%d bytes, %q, %d", len(out), errs, code)
		}
	})
	t.Run("files", func(t *testing.T) {
		dir := t.TempDir()
		from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
		if err := os.WriteFile(from, []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, errs, code := viaRun(t, nil, "cp", "--cliaddr", near.sock, from, "dmsg://"+dest+":"+to)
		if got, _ := os.ReadFile(to); string(got) != "content" || code != 0 {
			t.Fatalf("%q %q %d", got, errs, code)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		_, errs, code := viaRun(t, nil, "exec", "--cliaddr", near.sock, NewKey().Hex(), "--", "true")
		if !strings.Contains(errs, "not in the discovery") || code != 255 {
			t.Fatalf("%q %d", errs, code)
		}
	})
	t.Run("no listener", func(t *testing.T) {
		_, errs, code := viaRun(t, nil, "exec", "--cliaddr", near.sock, "-p", "23", dest, "--", "true")
		if !strings.Contains(errs, "port 23") || code != 255 {
			t.Fatalf("%q %d", errs, code)
		}
	})
}

func TestDmsgViaDaemonNotListed(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	near, far := o.host(t, nil).ready(t), o.host(t, nil).ready(t)
	out, errs, code := viaRun(t, nil, "exec", "--cliaddr", near.sock, far.key.Hex(), "--", "echo", "in")
	if out != "" || !strings.Contains(errs, "key of the local skyptyd") || code != 255 {
		t.Fatalf("%q %q %d", out, errs, code)
	}
	// Its own key is asked for, and there is none that is listed.
	_, errs, code = viaRun(t, nil, "exec", "--cliaddr", near.sock, "--standalone",
		"--dmsgdisc", o.http.URL, far.key.Hex(), "--", "true")
	if !strings.Contains(errs, "whitelist") || code != 255 {
		t.Fatalf("%q %d", errs, code)
	}
}

// Where the host here is not on dmsg its socket is no way, and our own one has
// nothing of it: what it carries is sealed.
func TestDmsgBesideDaemon(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	far := o.host(t, nil).ready(t)
	near := startDaemon(t)
	dir := t.TempDir()
	id := filepath.Join(dir, ".config", "skypty", "identity")
	if err := os.MkdirAll(filepath.Dir(id), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(id, []byte(far.client.SK()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t, "SKYPTY", "skypty"), "exec", "--cliaddr",
		filepath.Join(near.dir, "s"), far.key.Hex(), "--", "echo", "there")
	cmd.Env = append(os.Environ(), "HOME="+dir, "DMSGPTY_DMSGDISC="+o.http.URL)
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "there\n" {
		t.Fatalf("%q %v", out, err)
	}
}

// The near host has a session with one server, the far one with the other.
func TestDmsgViaDaemonOtherServer(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 2)
	near := o.host(t, map[string]any{"dmsgsessions": 1}).ready(t)
	h := &Host{Allow: func(pk [33]byte) bool { return pk == near.key.PK }}
	for i := range o.servers {
		if !o.servers[i].Has(near.key.PK) {
			o.goHost(t, h, i)
			break
		}
	}
	for range 2 {
		out, errs, code := viaRun(t, nil, "exec", "--cliaddr", near.sock, h.Key.Hex(), "--", "echo", "there")
		if out != "there\n" || code != 0 {
			t.Fatalf("%q %q %d", out, errs, code)
		}
	}
}

// The original's proxy, with a client of the original.
func TestDmsgProxy(t *testing.T) {
	t.Parallel()
	_, near, far := nearAndFar(t, 1)
	dial := func(uri string) (net.Conn, error) {
		c, err := net.Dial("unix", near.sock)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(45 * time.Second))
		_, _ = c.Write(append([]byte{byte(len(uri))}, uri...))
		answer := make([]byte, 1)
		if _, err = io.ReadFull(c, answer); err == nil && answer[0] != 0 {
			t.Fatalf("answer %d", answer[0])
		}
		return c, err
	}
	c, err := dial("dmsgpty/proxy?pk=" + far.key.Hex() + "&port=22")
	if err != nil {
		t.Fatal(err)
	}
	r := rpc.NewClient(c)
	var res CommandExecResult
	if err := r.Call("pty.Exec", CommandExecReq{Name: "echo", Arg: []string{"proxied"}}, &res); err != nil ||
		string(res.Stdout) != "proxied\n" {
		t.Fatal(err, res)
	}
	for _, uri := range []string{
		"dmsgpty/proxy", "dmsgpty/proxy?pk=zz",
		"dmsgpty/proxy?pk=" + far.key.Hex() + "&port=23",
		"dmsgpty/proxy?pk=" + far.key.Hex() + "&port=0",
		"dmsgpty/proxy?pk=02" + strings.Repeat("f", 64),
		"dmsgpty/proxy?pk=" + NewKey().Hex(),
	} {
		if _, err := dial(uri); err != io.EOF {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

// 100 dials at once: more than may be under way, and nothing breaks.
func TestDmsgProxyStorm(t *testing.T) {
	t.Parallel()
	_, near, far := nearAndFar(t, 1)
	var wg sync.WaitGroup
	var mu sync.Mutex
	answered := 0
	for range 100 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := net.Dial("unix", near.sock)
			if err != nil {
				return
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(60 * time.Second))
			uri := "skypty/1/dial?pk=" + far.key.Hex()
			_, _ = c.Write(append([]byte{byte(len(uri))}, uri...))
			if _, err := io.ReadFull(c, make([]byte, 1)); err == nil {
				mu.Lock()
				answered++
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	if answered == 0 {
		t.Error("none was answered")
	}
	out, errs, code := viaRun(t, nil, "exec", "--cliaddr", near.sock, far.key.Hex(), "--", "echo", "still")
	if out != "still\n" || code != 0 {
		t.Fatalf("%q %q %d", out, errs, code)
	}
}

// A visor: 42 bytes of whither, then the stream.
func bridge(t *testing.T, h *Host, want []byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				head := make([]byte, len(want))
				if _, err := io.ReadFull(c, head); err != nil || !bytes.Equal(head, want) {
					return // as a visor does that reads no sense
				}
				h.serveConn(&Conn{Conn: c})
			}()
		}
	}()
	return l.Addr().String()
}

func TestVisorBridge(t *testing.T) {
	t.Parallel()
	k := NewKey()
	to := binary.LittleEndian.AppendUint16(append([]byte{}, k.PK[:]...), 4711)
	for name, want := range map[string][]byte{
		"newest":     append([]byte("SKYBRI\x00"), to...),
		"older":      append([]byte("SKYBRI"), to...),
		"the oldest": to,
	} {
		addr := bridge(t, &Host{}, want)
		out, errs, code := viaRun(t, nil, "exec", "--rpc", addr, "-p", "4711", "dmsg://"+k.Hex(), "--", "echo", "bridged")
		if out != "bridged\n" || code != 0 {
			t.Fatalf("%s: %q %q %d", name, out, errs, code)
		}
	}
	// It leads to where there is no pty.
	_, errs, code := viaRun(t, nil, "exec", "skynet://"+k.Hex(), "--", "true")
	if !strings.Contains(errs, "dmsg://<pk> leads to its host") || code != 64 {
		t.Fatalf("%q %d", errs, code)
	}
	// None of its heads leads there.
	_, errs, code = viaRun(t, nil, "exec", "--rpc", bridge(t, &Host{}, []byte("nothing of the kind")), k.Hex(), "--", "true")
	if !strings.Contains(errs, "does not reach the host") || code != 255 {
		t.Fatalf("%q %d", errs, code)
	}
	_, errs, code = viaRun(t, nil, "exec", "--rpc", "127.0.0.1:1", k.Hex(), "--", "true")
	if !strings.Contains(errs, "--rpc 127.0.0.1:1: connection refused") || code != 255 {
		t.Fatalf("%q %d", errs, code)
	}
}
