// SPDX-License-Identifier: ISC

package interop

// Our client dialing keys over dmsg: Go hosts and C hosts.

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// dmsgRun runs a command of skypty with an identity.
func (o *overlay) dmsgRun(t testing.TB, k Key, stdin []byte, arg ...string) (string, string, int) {
	t.Helper()
	id := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(id, []byte(k.SK()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := append([]string{arg[0], "-i", id, "--dmsgdisc", o.http.URL}, arg[1:]...)
	cmd := exec.Command(program(t, "SKYPTY", "skypty"), full...)
	cmd.Stdin = bytes.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	done := time.AfterFunc(60*time.Second, func() { cmd.Process.Kill() })
	defer done.Stop()
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// goHost serves the pty protocol on dmsg.
func (o *overlay) goHost(t testing.TB, h *Host, server int) *DmsgClient {
	t.Helper()
	h.Key = NewKey()
	c := o.client(t, h.Key, server)
	o.disc.mu.Lock()
	o.disc.Entries[h.Key.Hex()] = DmsgEntry{Version: "0.0.1", Static: h.Key.Hex(),
		Client: &DmsgEntryClient{Delegated: []string{o.servers[server].Key.Hex()}}}
	o.disc.mu.Unlock()
	go func() {
		for {
			conn, port, err := c.Accept()
			if err != nil {
				return
			}
			if port != 22 {
				conn.Close()
				continue
			}
			go func() {
				defer conn.Close()
				if h.Allow != nil && !h.Allow(conn.Peer) {
					_, _ = conn.Write([]byte{1})
					return
				}
				h.serveConn(conn)
			}()
		}
	}()
	return c
}

func TestDmsgClient(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	for name, h := range map[string]*Host{
		"rpc":    {},
		"stream": {Stream: "dmsgpty/exec-stream"},
		"sftp":   {SFTP: true},
	} {
		t.Run(name, func(t *testing.T) {
			o.goHost(t, h, 0)
			out, errs, code := o.dmsgRun(t, NewKey(), []byte("in\n"), "exec", h.Key.Hex(), "--",
				"sh", "-c", "cat; echo out; echo err >&2; exit 7")
			if out != "in\nout\n" || !strings.Contains(errs, "err\n") || code != 7 {
				t.Fatalf("%q, %q, %d", out, errs, code)
			}
		})
	}
	h := &Host{SFTP: true}
	o.goHost(t, h, 0)
	dir := t.TempDir()
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	if err := os.WriteFile(filepath.Join(dir, "src"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := o.dmsgRun(t, NewKey(), nil, "cp", filepath.Join(dir, "src"),
		h.Key.Hex()+":"+filepath.Join(dir, "dst")); code != 0 {
		t.Fatal(errs, code)
	}
	got, err := os.ReadFile(filepath.Join(dir, "dst"))
	if err != nil || sha256.Sum256(got) != sha256.Sum256(data) {
		t.Fatal("copied wrongly", err)
	}
}

// TestDmsgClientAgent: the agent makes both handshakes, with the server and
// with the host, and signs the request; what it refuses is refused.
func TestDmsgClientAgent(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	h := &Host{}
	key := NewKey()
	h.Allow = func(pk [33]byte) bool { return pk == key.PK }
	o.goHost(t, h, 0)
	dir := t.TempDir()
	id, auth := filepath.Join(dir, "id"), filepath.Join(dir, "auth")
	if err := os.WriteFile(id, []byte(key.SK()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pub := filepath.Join(dir, "id.pub")
	if err := os.WriteFile(pub, []byte(key.Hex()+" a comment\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(arg ...string) (string, error) {
		cmd := exec.Command(program(t, "SKYPTY", "skypty"), arg...)
		cmd.Env = append(os.Environ(), "SKYPTY_AUTH_SOCK="+auth)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	agent := exec.Command(program(t, "SKYPTY", "skypty"), "agent", "-D", "-a", auth)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = run("agent", "-k"); _ = agent.Wait() })
	for i := 0; i < 500; i++ {
		if _, err := os.Stat(auth); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	call := []string{"exec", "-i", pub, "--dmsgdisc", o.http.URL, h.Key.Hex(), "--", "echo", "in"}
	if out, err := run(call...); err == nil || !strings.Contains(out, "no agent has its secret one") {
		t.Fatal(out, err)
	}
	if out, err := run("add", id); err != nil {
		t.Fatal(out, err)
	}
	if err := os.Remove(id); err != nil {
		t.Fatal(err)
	}
	if out, err := run(call...); err != nil || !strings.HasSuffix(out, "in\n") {
		t.Fatal(out, err)
	}
	if out, err := run("add", "-D"); err != nil {
		t.Fatal(out, err)
	}
	if out, err := run(call...); err == nil {
		t.Fatal(out)
	}
}

// TestDmsgClientKeepsNothingOpen: what has the session for the next command
// holds no descriptor that its caller had, whatever its number.
func TestDmsgClientKeepsNothingOpen(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	h := &Host{}
	o.goHost(t, h, 0)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(program(t, "SKYPTY", "skypty"), "exec", "--no-visor-key", "-i", keyFiles(t, NewKey())[0], "--dmsgdisc", o.http.URL,
		h.Key.Hex(), "--", "echo", "in")
	for i := 0; i < 8; i++ {
		cmd.ExtraFiles = append(cmd.ExtraFiles, w)
	}
	out, err := cmd.Output()
	w.Close()
	if err != nil || string(out) != "in\n" {
		t.Fatalf("%q, %v", out, err)
	}
	// The session lingers for ten seconds.
	if err := r.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal("somebody has it open still", n, err)
	}
}

func TestDmsgClientToHost(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 2)
	h := o.host(t, nil).ready(t)
	out, errs, code := o.dmsgRun(t, h.client, []byte(strings.Repeat("x", 5_000_000)), "exec",
		"dmsg://"+h.key.Hex()+":22", "--", "sh", "-c", "wc -c; exit 3")
	if strings.TrimSpace(out) != "5000000" || code != 3 {
		t.Fatalf("%q, %q, %d", out, errs, code)
	}
	out, errs, code = o.dmsgRun(t, h.client, nil, "exec", h.key.Hex(), "--", "head", "-c", "20000000", "/dev/zero")
	if len(out) != 20_000_000 || code != 0 {
		t.Fatalf("%d, %q, %d", len(out), errs, code)
	}
	out, errs, code = o.dmsgRun(t, h.client, []byte("echo in a shell; exit\n"), "shell", h.key.Hex())
	if !strings.Contains(out, "in a shell") || code != 0 {
		t.Fatalf("%q, %q, %d", out, errs, code)
	}
}

func TestDmsgClientFailures(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	h := o.host(t, nil).ready(t)
	other := o.host(t, nil).ready(t).key
	lost := NewKey()
	o.disc.mu.Lock()
	o.disc.Entries[lost.Hex()] = DmsgEntry{Version: "0.0.1", Static: lost.Hex(),
		Client: &DmsgEntryClient{Delegated: []string{NewKey().Hex()}}}
	o.disc.mu.Unlock()
	for name, c := range map[string]struct {
		k    Key
		dest string
		text string
	}{
		"no entry":   {h.client, NewKey().Hex(), "is not in the discovery"},
		"no server":  {h.client, lost.Hex(), "without a server that could be reached"},
		"no port":    {h.client, h.key.Hex() + ":23", "nobody listens there"},
		"not listed": {NewKey(), h.key.Hex(), "whitelist"},
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, code := o.dmsgRun(t, c.k, nil, "exec", c.dest, "--", "true")
			if out != "" || code != 255 || !strings.Contains(errs, c.text) {
				t.Fatalf("%q, %q, %d", out, errs, code)
			}
		})
	}
	o.disc.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		http.Error(w, "boom", 500)
		return true
	}
	_, errs, code := o.dmsgRun(t, h.client, nil, "exec", h.key.Hex(), "--", "true")
	if code != 255 || !strings.Contains(errs, "status 500") {
		t.Fatalf("%q, %d", errs, code)
	}
	// The entry of another key, as it signed it.
	for name, asked := range map[string]Key{"host": h.key, "server": o.servers[0].Key} {
		o.disc.Answer = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, asked.Hex()) {
				r.URL.Path = strings.Replace(r.URL.Path, asked.Hex(), other.Hex(), 1)
			}
			return false
		}
		_, errs, code = o.dmsgRun(t, h.client, nil, "exec", h.key.Hex(), "--", "true")
		if code != 255 || !strings.Contains(errs, "answers for another key") {
			t.Fatalf("%s: %q, %d", name, errs, code)
		}
	}
}

// A key that is not listed is told before its input has ended.
func TestDmsgClientRefusedAtOnce(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	old := &Host{Allow: func([33]byte) bool { return false }}
	o.goHost(t, old, 0)
	for name, host := range map[string]Key{"ours": o.host(t, nil).ready(t).key, "original": old.Key} {
		s := newSharer(t, o)
		cmd := s.command(t, "exec", host.Hex(), "--", "cat")
		in, err := cmd.StdinPipe() // never ends
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		var errs bytes.Buffer
		cmd.Stderr = &errs
		late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		_ = cmd.Run()
		late.Stop()
		if cmd.ProcessState.ExitCode() != 255 || !strings.Contains(errs.String(), "whitelist") {
			t.Errorf("%s: %v, %q", name, cmd.ProcessState, errs.String())
		}
	}
}

// Who waits for a command says something now and then: servers of dmsg end a
// stream with a direction that is quiet.
func TestDmsgCommandKeeps(t *testing.T) {
	t.Parallel()
	fast := fastTime(t, 10)
	o := newOverlay(t, 1)
	var n atomic.Int64
	var silent atomic.Bool
	h := &Host{}
	h.Other = func(uri string) func(*Conn) {
		if uri != "dmsgpty/exec-stream" {
			return nil
		}
		return func(c *Conn) {
			c.Conn = reads{c.Conn, &n, &silent}
			(&Host{Stream: uri}).serveStream(c)
		}
	}
	o.goHost(t, h, 0)
	s := newSharer(t, o)
	cmd := s.command(t, "exec", "-t", "1h", h.Key.Hex(), "--", "sh", "-c",
		"while ! test -e "+filepath.Join(s.run, "go")+"; do echo here; sleep 0.2; done")
	cmd.Env = append(cmd.Env, fast...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	check(t, cmd.Start())
	waitFor(t, "its request", func() bool { return n.Load() > 0 })
	before := n.Load()
	waitFor(t, "words of it", func() bool { return n.Load() >= before+4 })
	check(t, os.WriteFile(filepath.Join(s.run, "go"), nil, 0o600))
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v, %q", err, &errs)
	}
}

// Who asks for files is told the same, and not only that there are none.
func TestDmsgFilesRefused(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	old := &Host{Allow: func([33]byte) bool { return false }}
	o.goHost(t, old, 0)
	dir := t.TempDir()
	for name, host := range map[string]Key{"ours": o.host(t, nil).ready(t).key, "original": old.Key} {
		for _, words := range [][]string{{"sftp", host.Hex()}, {"cp", "/etc/hostname", host.Hex() + ":x"},
			{"ssh", "-s", host.Hex(), "sftp"}, {"fs", "mount", host.Hex(), dir}} {
			if words[0] == "fs" {
				if _, err := os.Stat("/dev/fuse"); err != nil {
					continue
				}
			}
			s := newSharer(t, o)
			cmd := exec.Command(program(t, "SKYPTY", "skypty"), words...)
			home := t.TempDir()
			check(t, os.MkdirAll(filepath.Join(home, ".config/skypty"), 0o700))
			check(t, os.Rename(s.id, filepath.Join(home, ".config/skypty/identity")))
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+s.run, "HOME="+home,
				"XDG_CONFIG_HOME="+filepath.Join(home, ".config"), "DMSGPTY_DMSGDISC="+o.http.URL)
			errs := &bytes.Buffer{}
			cmd.Stderr = errs
			late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
			_ = cmd.Run()
			late.Stop()
			if cmd.ProcessState.ExitCode() != 255 || !strings.Contains(errs.String(), "your key "+s.k.Hex()+" is not on its whitelist") {
				t.Errorf("%s: %v: %v, %q", name, words[0], cmd.ProcessState, errs)
			}
		}
	}
}

// A host that says nothing to the request has not closed anything.
func TestDmsgClientNotServed(t *testing.T) {
	t.Parallel()
	fast := fastTime(t, 10)
	o := newOverlay(t, 1)
	for want, serve := range map[string]func(*Conn){
		"the host closed the stream":   func(*Conn) {},
		"the host has not answered to": func(c *Conn) { _, _ = io.Copy(io.Discard, c) },
	} {
		k := NewKey()
		c := o.client(t, k, 0)
		o.disc.Put(DmsgEntry{Version: "0.0.1", Static: k.Hex(),
			Client: &DmsgEntryClient{Delegated: []string{o.servers[0].Key.Hex()}}})
		go serveOne(c, serve)
		s := newSharer(t, o)
		s.env = fast
		a := s.attempt(t, k)
		_ = a.Wait()
		if a.ProcessState.ExitCode() != 255 || !strings.Contains(a.said.String(), want) {
			t.Errorf("%v, %q", a.ProcessState, a.said.String())
		}
	}
}

// The process that keeps a stream going cannot be made: that is said.
func TestDmsgClientWithoutProcess(t *testing.T) {
	preload, err := filepath.Abs("../../" + preloads() + "/fork_fails.so")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(preload); err != nil {
		t.Skip("without the preload of the tests: ", err)
	}
	o := newOverlay(t, 1)
	h := &Host{}
	o.goHost(t, h, 0)
	killed := filepath.Join(t.TempDir(), "killed")
	for name, value := range map[string]string{"LD_PRELOAD": preload, "FORK_FAILS": "skypty:1",
		"KILL_LOG": killed, "ASAN_OPTIONS": "verify_asan_link_order=0"} {
		t.Setenv(name, value)
	}
	out, errs, status := o.dmsgRun(t, NewKey(), nil, "exec", h.Key.Hex(), "--", "true")
	if status != 255 || out != "" || !strings.Contains(errs, "Resource temporarily unavailable") {
		t.Errorf("status %d, %q, %q", status, out, errs)
	}
	if b, err := os.ReadFile(killed); err == nil {
		t.Errorf("signalled: %s", b)
	}
}

// preloads is the folder of what LD_PRELOAD takes.
func preloads() string {
	if obj := os.Getenv("OBJ"); obj != "" {
		return obj + "/regress/preload"
	}
	return "obj/regress/preload"
}

func TestDmsgStatus(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 2)
	h := o.host(t, nil).ready(t)
	var st struct {
		Port     int `json:"port"`
		Servers  int `json:"servers"`
		Age      int `json:"entry_age_s"`
		Sessions []struct {
			PK string `json:"pk"`
			Up bool   `json:"up"`
		} `json:"sessions"`
	}
	eventually(t, "a status with both sessions", func() bool {
		out, err := exec.Command(program(t, "SKYPTY", "skypty"), "dmsg", "status", "--json",
			"--cliaddr", h.sock).Output()
		return err == nil && json.Unmarshal(out, &st) == nil && len(st.Sessions) == 2 &&
			st.Sessions[0].Up && st.Sessions[1].Up && st.Age >= 0
	})
	if st.Port != 22 || st.Servers != 2 {
		t.Errorf("%+v", st)
	}
	out, err := exec.Command(program(t, "SKYPTY", "skypty"), "dmsg", "status", "--cliaddr", h.sock).Output()
	if err != nil || !strings.Contains(string(out), "published") ||
		!strings.Contains(string(out), o.servers[1].Key.Hex()) {
		t.Errorf("%q, %v", out, err)
	}
}

// keyFiles writes keys for -i.
func keyFiles(t *testing.T, keys ...Key) []string {
	t.Helper()
	files := make([]string, len(keys))
	for i, k := range keys {
		files[i] = filepath.Join(t.TempDir(), "id")
		if err := os.WriteFile(files[i], []byte(k.SK()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// sshKeys runs a command that says here and ends with 7, with these keys.
func (o *overlay) sshKeys(t *testing.T, host Key, files ...string) (string, string, int) {
	t.Helper()
	arg := []string{"ssh", "-n", "-oSetEnv=SHELL=/bin/sh", "-oDiscovery=" + o.http.URL}
	for _, f := range files {
		arg = append(arg, "-i", f)
	}
	cmd := exec.Command(program(t, "SKYPTY", "skypty"),
		append(arg, host.Hex(), "echo here; exit 7")...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Run()
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// Of several keys the host takes the first that it lets in, though by dmsg it
// says no to a key and to a service in the same way.
func TestDmsgClientKeys(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	ours := o.host(t, map[string]any{"penalties": "off"}).ready(t)
	listed := ours.client
	old := &Host{Allow: func(k [33]byte) bool { return k == listed.PK }}
	o.goHost(t, old, 0)
	for name, host := range map[string]Key{"ours": ours.key, "original": old.Key} {
		strangers := []Key{NewKey(), NewKey()}
		files := keyFiles(t, append(strangers, listed)...)
		run := func(files ...string) (string, string, int) {
			return o.sshKeys(t, host, files...)
		}
		if out, errs, code := run(files...); out != "here\n" || errs != "" || code != 7 {
			t.Errorf("%s: %q, %q, %d", name, out, errs, code)
		}
		out, errs, code := run(files[:2]...)
		if out != "" || code != 255 {
			t.Errorf("%s: %q, %d", name, out, code)
		}
		for i, k := range strangers {
			if !strings.Contains(errs, files[i]) || !strings.Contains(errs, k.Hex()) {
				t.Errorf("%s: %q", name, errs)
			}
		}
	}
}

// A host that has had enough of strangers by a server hears a key that is not
// listed no more; that of one who has a listed one as well is found all the same.
func TestDmsgClientKeysPenalty(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	h := o.host(t, nil).ready(t)
	strangers := keyFiles(t, NewKey(), NewKey())
	eventually(t, "a penalty of strangers by the server", func() bool {
		_, _, code := o.sshKeys(t, h.key, strangers...)
		return code == 255 && h.said("Penalty of ") && h.said("Turned away dmsg, claims ")
	})
	files := append(strangers, keyFiles(t, h.client)...)
	if out, errs, code := o.sshKeys(t, h.key, files...); out != "here\n" || errs != "" || code != 7 {
		t.Errorf("%q, %q, %d", out, errs, code)
	}
	out, errs, code := o.sshKeys(t, h.key, strangers...)
	if out != "" || code != 255 || !strings.Contains(errs, "not reachable through this server") {
		t.Errorf("%q, %q, %d", out, errs, code)
	}
}
