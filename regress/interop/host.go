// SPDX-License-Identifier: ISC

package interop

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
)

// Host is a pty host with the habits of several ages.
type Host struct {
	Key      Key
	Allow    func(pk [33]byte) bool // nil: everybody
	Payloads Payloads
	Piece    int    // bytes of plaintext a frame
	End      string // what Read says after the end; "" for the system's own text
	NoPing   bool
	NoExec   bool
	Reject   bool   // the mux answers 01
	Garbage  []byte // sent in place of replies
	Foreign  bool   // other types come first, so that ids are unusual

	Stream        string        // URI of the exec stream; "": it has none
	StreamFault   string        // one of StreamFaults; "": none
	StreamPiece   int           // bytes of a chunk; 0: a frame each
	Keepalive     time.Duration // between keepalive frames; 0: 45 s
	StreamRequest func(StreamRequest)

	SFTP, SFTPReadOnly bool

	Asked func(uri string)             // told of every mux request
	Other func(uri string) func(*Conn) // services of a test's own
}

// Serve accepts until the listener is closed.
func (h *Host) Serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go h.serve(c)
	}
}

func (h *Host) serve(c net.Conn) {
	defer c.Close()
	conn, err := Accept(c, h.Key, h.Payloads)
	if err != nil || (h.Allow != nil && !h.Allow(conn.Peer)) {
		return
	}
	h.serveConn(conn)
}

// serveConn goes on behind the handshake, of whatever carrier.
func (h *Host) serveConn(conn *Conn) {
	conn.Piece = h.Piece
	var n [1]byte
	if _, err := io.ReadFull(conn, n[:]); err != nil {
		return
	}
	uri := make([]byte, n[0])
	if _, err := io.ReadFull(conn, uri); err != nil {
		return
	}
	if h.Asked != nil {
		h.Asked(string(uri))
	}
	service := h.service(withoutQuery(string(uri)))
	if h.Reject || service == nil {
		_, _ = conn.Write([]byte{1})
		return
	}
	_, _ = conn.Write([]byte{0})
	service(conn)
}

// withoutQuery gives what the original compares: its hosts pass over a query,
// but for the proxy's.
func withoutQuery(uri string) string {
	path, _, _ := strings.Cut(uri, "?")
	return path
}

// service gives what serves a URI, nil for none.
func (h *Host) service(uri string) func(*Conn) {
	if h.Other != nil {
		if own := h.Other(uri); own != nil {
			return own
		}
	}
	switch {
	case uri == "dmsgpty/pty" && h.Garbage != nil:
		return h.serveGarbage
	case uri == "dmsgpty/pty":
		return h.serveRPC
	case uri == h.Stream && uri != "":
		return h.serveStream
	case uri == SFTPURI && h.SFTP:
		return h.serveSFTP
	}
	return nil
}

func (h *Host) serveGarbage(conn *Conn) {
	_, _ = conn.Write(h.Garbage)
	_, _ = io.Copy(io.Discard, conn)
}

func (h *Host) serveStream(conn *Conn) {
	s := &streamHandler{keepalive: 45 * time.Second, fault: h.StreamFault,
		piece: h.StreamPiece, request: h.StreamRequest}
	if h.Keepalive > 0 {
		s.keepalive = h.Keepalive
	}
	serveHTTP(conn, s)
}

func (h *Host) serveRPC(conn *Conn) {
	g := &gateway{host: h}
	defer g.stop()
	s := rpc.NewServer()
	var service any = &oldGateway{g}
	if !h.NoPing && !h.NoExec {
		service = g
	} else if !h.NoExec {
		service = &execGateway{g}
	}
	if err := s.RegisterName("pty", service); err != nil {
		panic(err)
	}
	if h.Foreign {
		type unusual struct {
			A []map[string]int
			B [4]complex64
		}
		_ = gob.NewEncoder(io.Discard).Encode(unusual{})
	}
	s.ServeConn(conn)
}

// gateway is the service pty of one connection.
type gateway struct {
	host *Host
	mu   sync.Mutex
	cmd  *exec.Cmd
	tty  *os.File
	// Sizes seen, for tests.
	Sizes []WinSize
}

// oldGateway lacks Ping and Exec, execGateway Ping.
type oldGateway struct{ g *gateway }
type execGateway struct{ g *gateway }

func (o *oldGateway) Start(r CommandReq, _ *struct{}) error    { return o.g.Start(r, nil) }
func (o *oldGateway) Stop(_ struct{}, _ *struct{}) error       { return o.g.stop() }
func (o *oldGateway) Read(n int, b *[]byte) error              { return o.g.Read(n, b) }
func (o *oldGateway) Write(b []byte, n *int) error             { return o.g.Write(b, n) }
func (o *oldGateway) SetPtySize(s WinSize, _ *struct{}) error  { return o.g.SetPtySize(s, nil) }
func (e *execGateway) Start(r CommandReq, _ *struct{}) error   { return e.g.Start(r, nil) }
func (e *execGateway) Read(n int, b *[]byte) error             { return e.g.Read(n, b) }
func (e *execGateway) Write(b []byte, n *int) error            { return e.g.Write(b, n) }
func (e *execGateway) SetPtySize(s WinSize, _ *struct{}) error { return e.g.SetPtySize(s, nil) }
func (e *execGateway) Exec(r CommandExecReq, res *CommandExecResult) error {
	return e.g.Exec(r, res)
}

func winsize(s WinSize) *pty.Winsize {
	return &pty.Winsize{Rows: s.Rows, Cols: s.Cols, X: s.X, Y: s.Y}
}

// Start runs a shell on a new terminal.
func (g *gateway) Start(r CommandReq, _ *struct{}) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tty != nil {
		return errors.New("a pty session is already running")
	}
	g.cmd = exec.Command(r.Name, r.Arg...)
	g.cmd.Env = append(os.Environ(), r.Env...)
	size := &pty.Winsize{}
	if r.Size != nil {
		size = winsize(*r.Size)
	}
	tty, err := pty.StartWithSize(g.cmd, size)
	if err != nil {
		return err
	}
	g.tty = tty
	return nil
}

// Ping does nothing.
func (g *gateway) Ping(_ struct{}, _ *struct{}) error { return nil }

// Stop ends the shell.
func (g *gateway) Stop(_ struct{}, _ *struct{}) error { return g.stop() }

func (g *gateway) stop() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tty == nil {
		return errors.New("no active pty session")
	}
	_ = g.tty.Close()
	_ = g.cmd.Process.Kill()
	_ = g.cmd.Wait()
	g.tty = nil
	return nil
}

func (g *gateway) terminal() (*os.File, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tty == nil {
		return nil, errors.New("no active pty session")
	}
	return g.tty, nil
}

// Read gives output.
func (g *gateway) Read(n int, b *[]byte) error {
	tty, err := g.terminal()
	if err != nil {
		return err
	}
	buf := make([]byte, n)
	n, err = tty.Read(buf)
	*b = buf[:n]
	if err != nil && g.host.End != "" {
		return errors.New(g.host.End)
	}
	return err
}

// Write types input.
func (g *gateway) Write(b []byte, n *int) error {
	tty, err := g.terminal()
	if err != nil {
		return err
	}
	*n, err = tty.Write(b)
	return err
}

// SetPtySize resizes.
func (g *gateway) SetPtySize(s WinSize, _ *struct{}) error {
	tty, err := g.terminal()
	if err != nil {
		return err
	}
	return pty.Setsize(tty, winsize(s))
}

// Exec runs a command.
func (g *gateway) Exec(r CommandExecReq, res *CommandExecResult) error {
	timeout := time.Duration(r.TimeoutMS) * time.Millisecond
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.Name, r.Arg...)
	cmd.Env = append(os.Environ(), r.Env...)
	cmd.Stdin = bytes.NewReader(r.Stdin)
	cmd.WaitDelay = 15 * time.Second // for who still holds the output
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	err := cmd.Run()
	res.ExitCode = -1
	if cmd.ProcessState != nil {
		res.ExitCode = cmd.ProcessState.ExitCode()
	} else if err != nil {
		fmt.Fprintf(&errs, "dmsgpty: exec %s: %v\n", r.Name, err)
	}
	if ctx.Err() != nil {
		res.TimedOut, res.ExitCode = true, -1
	}
	res.Stdout, res.Stderr = out.Bytes(), errs.Bytes()
	res.DurationMS = int(time.Since(start) / time.Millisecond)
	return nil
}
