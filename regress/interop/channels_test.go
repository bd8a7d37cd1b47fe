// SPDX-License-Identifier: ISC

package interop

// skypty/1/channels of skyptyd, asked by github.com/hashicorp/yamux: many
// services on one connection.

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/yamux"
	"github.com/pkg/sftp"
)

const channelsURI = "skypty/1/channels"

// overChannels is yamux behind an accepted request, quiet about what a test
// does to it on purpose.
func overChannels(t testing.TB, d *daemon) *yamux.Session {
	t.Helper()
	c := d.dial(t, d.client, Payloads{})
	if answer, err := Open(c, channelsURI); err != nil || answer != 0 {
		t.Fatalf("mux: %d, %v", answer, err)
	}
	conf := yamux.DefaultConfig()
	conf.AcceptBacklog = 2048
	conf.LogOutput = io.Discard
	mux, err := yamux.Client(c, conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mux.Close() })
	return mux
}

// channel gives one with that service accepted.
func channel(t testing.TB, mux *yamux.Session, uri string) *yamux.Stream {
	t.Helper()
	st := must(mux.OpenStream())(t)
	if answer, err := Open(st, uri); err != nil || answer != 0 {
		t.Fatalf("%s: %d, %v", uri, answer, err)
	}
	return st
}

// startFrame is skypty/1/exec's first: with standard input, and no terminal.
func startFrame(flags byte, name string, args ...string) []byte {
	text := func(b []byte, s string) []byte {
		return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	b := append([]byte{flags}, make([]byte, 4+8)...)
	b = text(b, name)
	b = binary.BigEndian.AppendUint32(b, uint32(len(args)))
	for _, a := range args {
		b = text(b, a)
	}
	return frame(16, binary.BigEndian.AppendUint32(b, 0))
}

// readExec reads to the frame that is the last, and gives output and status.
func readExec(r io.Reader) (out []byte, status uint32, err error) {
	var head [5]byte
	for {
		if _, err = io.ReadFull(r, head[:]); err != nil {
			return out, 0, err
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:]))
		if _, err = io.ReadFull(r, body); err != nil {
			return out, 0, err
		}
		switch head[0] {
		case 1, 2:
			out = append(out, body...)
		case 5:
			return out, 0, errors.New(string(body))
		case 6:
			return out, binary.BigEndian.Uint32(body[1:]), nil
		}
	}
}

// runOn runs a script on a channel of its own.
func runOn(mux *yamux.Session, script string) ([]byte, uint32, error) {
	st, err := mux.OpenStream()
	if err != nil {
		return nil, 0, err
	}
	defer st.Close()
	if answer, err := Open(st, "skypty/1/exec"); err != nil || answer != 0 {
		return nil, 0, fmt.Errorf("mux: %d, %w", answer, err)
	}
	if _, err := st.Write(startFrame(0, "sh", "-c", script)); err != nil {
		return nil, 0, err
	}
	return readExec(st)
}

func echoes(t testing.TB, mux *yamux.Session) {
	t.Helper()
	out, status, err := runOn(mux, "echo here; exit 3")
	if err != nil || status != 3 || string(out) != "here\n" {
		t.Errorf("%q, %d, %v", out, status, err)
	}
}

// Terminals, commands and files, all at once and on one connection.
func TestChannelsServices(t *testing.T) {
	t.Parallel()
	mux := overChannels(t, startDaemon(t))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			out, status, err := runOn(mux, fmt.Sprintf("head -c %d /dev/zero; exit %d", i<<18, i))
			if err != nil || len(out) != i<<18 || status != uint32(i) {
				t.Errorf("command %d: %d bytes, %d, %v", i, len(out), status, err)
			}
		})
		all.Go(func() {
			data := randomBytes(byte(i), 3<<20)
			st := channel(t, mux, SFTPURI)
			client := must(sftp.NewClientPipe(st, st))(t)
			path := t.TempDir() + "/file"
			f := must(client.Create(path))(t)
			_, err := io.Copy(f, bytes.NewReader(data))
			check(t, errors.Join(err, f.Close()))
			var back bytes.Buffer
			_, err = io.Copy(&back, must(client.Open(path))(t))
			check(t, err)
			if !bytes.Equal(back.Bytes(), data) {
				t.Error("a file came back as another")
			}
			check(t, client.Close())
		})
		all.Go(func() {
			client := rpc.NewClient(channel(t, mux, "dmsgpty/pty"))
			defer client.Close()
			check(t, client.Call("pty.Start", CommandReq{Name: "cat"}, nil))
			want := fmt.Sprintf("terminal %d", i)
			check(t, client.Call("pty.Write", []byte(want+"\n"), new(int)))
			var got []byte
			for !strings.Contains(string(got), want) {
				var b []byte
				if err := client.Call("pty.Read", 1000, &b); err != nil {
					t.Error(err)
					return
				}
				got = append(got, b...)
			}
			check(t, client.Call("pty.Stop", struct{}{}, nil))
		})
	}
	all.Wait()
}

// What may not be asked for on a channel, and why.
func TestChannelsRefused(t *testing.T) {
	t.Parallel()
	mux := overChannels(t, startDaemon(t))
	for _, uri := range []string{channelsURI, "dmsgpty/whitelist", "dmsgpty/proxy",
		"skypty/1/nothing", "skypty/1/as/root/dmsgpty/pty", ""} {
		st := must(mux.OpenStream())(t)
		answer, err := Open(st, uri)
		if err != nil || answer != 1 {
			t.Errorf("%s: %d, %v", uri, answer, err)
		}
		why, err := io.ReadAll(st)
		check(t, err)
		if told := strings.Contains(string(why), "user"); told != strings.Contains(uri, "/as/") {
			t.Errorf("%s: %q", uri, why)
		}
		check(t, st.Close())
	}
	echoes(t, mux)
}

// A mistake ends its own channel, and the others go on.
func TestChannelsFaults(t *testing.T) {
	t.Parallel()
	mux := overChannels(t, startDaemon(t))
	held := channel(t, mux, "skypty/1/exec")
	_ = must(held.Write(startFrame(1, "cat")))(t)
	for uri, junk := range map[string]string{
		"skypty/1/exec": "\x77\x00\x00\x00\x01?",
		"dmsgpty/pty":   "\x03\xff\xff\xff\xff\xff",
		"skypty/1/job":  "\x10\x00\x00\x00\x01\xff",
	} {
		st := channel(t, mux, uri)
		_ = must(st.Write([]byte(junk)))(t)
		if _, err := io.ReadAll(st); !errors.Is(err, yamux.ErrConnectionReset) {
			t.Errorf("%s: %v", uri, err)
		}
	}
	_ = must(held.Write(append(frame(17, []byte("still")), frame(18, nil)...)))(t)
	if out, _, err := readExec(held); err != nil || string(out) != "still" {
		t.Errorf("%q, %v", out, err)
	}
}

// Frames that are no yamux end the connection with all that is on it.
func TestChannelsBrokenYamux(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	for name, junk := range map[string]string{
		"version":    "\x01\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00",
		"type":       "\x00\x09\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00",
		"our own id": "\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x00",
		"window":     "\x00\x00\x00\x01\x00\x00\x00\x01\x00\x04\x00\x01",
		"twice":      strings.Repeat("\x00\x01\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00", 2),
		"away":       "\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01",
	} {
		c := d.dial(t, d.client, Payloads{})
		if answer, err := Open(c, channelsURI); err != nil || answer != 0 {
			t.Fatalf("mux: %d, %v", answer, err)
		}
		_ = must(c.Write([]byte(junk)))(t)
		var late net.Error
		if _, err := io.Copy(io.Discard, c); errors.As(err, &late) && late.Timeout() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A thousand at once, and each is its own.
func TestChannelsThousand(t *testing.T) {
	t.Parallel()
	mux := overChannels(t, startDaemon(t))
	clients := make([]*rpc.Client, 1000)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { clients[i] = rpc.NewClient(channel(t, mux, "dmsgpty/pty")) })
	}
	all.Wait()
	for i, c := range clients {
		if err := c.Call("pty.Ping", struct{}{}, nil); err != nil {
			t.Fatalf("channel %d: %v", i, err)
		}
	}
	for _, c := range clients {
		check(t, c.Close())
	}
	echoes(t, mux)
}

// Floods: of streams that ask for nothing, and of some that are reset at once.
func TestChannelsFlood(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	c := d.dial(t, d.client, Payloads{})
	if answer, err := Open(c, channelsURI); err != nil || answer != 0 {
		t.Fatalf("mux: %d, %v", answer, err)
	}
	taken, refused := 0, 0
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var head [12]byte
		for taken+refused < 2000 {
			if _, err := io.ReadFull(c, head[:]); err != nil {
				return
			}
			if head[1] == 1 && head[3]&8 != 0 {
				refused++
			} else if head[1] == 1 && head[3]&2 != 0 {
				taken++
			}
		}
	}()
	window := func(flags byte, id int) []byte {
		b := []byte{0, 1, 0, flags}
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, uint32(id)), 0)
	}
	for i := range 2000 {
		_ = must(c.Write(window(1, 2*i+1)))(t)
	}
	<-ended
	if taken != 1280 || refused != 720 {
		t.Errorf("%d were taken, %d refused", taken, refused)
	}
	// More of them may end the connection, and nothing else.
	for i := range 20000 {
		id := 2*(i+2000) + 1
		if _, err := c.Write(append(window(1, id), window(8, id)...)); err != nil {
			break
		}
	}
	check(t, c.Close())
	echoes(t, overChannels(t, d))
}

// Some that stand still, each its own way, among one that does not.
func TestChannelsStalled(t *testing.T) {
	t.Parallel()
	mux := overChannels(t, startDaemon(t))
	unread := channel(t, mux, "skypty/1/exec")
	_ = must(unread.Write(startFrame(0, "cat", "/dev/zero")))(t)
	shells := channel(t, mux, "dmsgpty/pty")
	client := rpc.NewClient(shells)
	check(t, client.Call("pty.Start", CommandReq{Name: "sleep", Arg: []string{"1000"}}, nil))
	full := channel(t, mux, "skypty/1/exec")
	_ = must(full.Write(startFrame(1, "sleep", "1000")))(t)
	piece := frame(17, make([]byte, 32768))
	for range 60 { // just under skypty/1/exec's own window
		_ = must(full.Write(piece))(t)
	}
	half := must(mux.OpenStream())(t)
	_ = must(half.Write([]byte("\x20dmsg")))(t)
	for range 20 {
		echoes(t, mux)
	}
	data := randomBytes(9, 8<<20)
	st := channel(t, mux, SFTPURI)
	files := must(sftp.NewClientPipe(st, st))(t)
	path := t.TempDir() + "/file"
	f := must(files.Create(path))(t)
	_, err := io.Copy(f, bytes.NewReader(data))
	check(t, errors.Join(err, f.Close(), files.Close()))
	// And the one that was not read goes on where it was.
	_, err = io.CopyN(io.Discard, unread, 4<<20)
	check(t, err)
}

// Who leaves a channel ends what ran there, and nothing else.
func TestChannelsLeft(t *testing.T) {
	t.Parallel()
	mux := overChannels(t, startDaemon(t))
	dir := t.TempDir()
	for i, leave := range []func(*yamux.Stream){
		func(st *yamux.Stream) { _ = st.Close() },
		func(st *yamux.Stream) {
			_ = must(st.Write([]byte("\x77\x00\x00\x00\x01?")))(t)
		},
	} {
		mark := fmt.Sprintf("%s/%d", dir, i)
		st := channel(t, mux, "skypty/1/exec")
		_ = must(st.Write(startFrame(0, "sh", "-c",
			"trap '' PIPE; trap 'echo hup >"+mark+"; exit' HUP; echo up; while :; do sleep 0.1; done")))(t)
		var head [5 + 5 + 3]byte // STARTED, and what it said
		_ = must(io.ReadFull(st, head[:]))(t)
		leave(st)
		for ok := false; !ok; {
			out, _, err := runOn(mux, "cat "+mark+" 2>/dev/null; :")
			if err != nil {
				t.Fatal(err)
			}
			ok = string(out) == "hup\n"
			time.Sleep(10 * time.Millisecond)
		}
	}
	echoes(t, mux)
}

// More of a kind than a connection may have: the others are told, and go on.
func TestChannelsLimits(t *testing.T) {
	t.Parallel()
	mux := overChannels(t, startDaemon(t))
	var shells []*rpc.Client
	for i := 0; ; i++ {
		client := rpc.NewClient(channel(t, mux, "dmsgpty/pty"))
		err := client.Call("pty.Start", CommandReq{Name: "cat"}, nil)
		if err != nil {
			if i != 16 {
				t.Errorf("%d terminals, then %v", i, err)
			}
			check(t, client.Call("pty.Ping", struct{}{}, nil))
			break
		}
		shells = append(shells, client)
	}
	echoes(t, mux)
	check(t, shells[0].Close())
	client := rpc.NewClient(channel(t, mux, "dmsgpty/pty"))
	for client.Call("pty.Start", CommandReq{Name: "cat"}, nil) != nil {
		time.Sleep(10 * time.Millisecond)
	}
}
