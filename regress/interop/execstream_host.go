// SPDX-License-Identifier: ISC

package interop

// The exec stream's host, and the ways in which it can break.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const stdinLimit = 1 << 20

// streamHandler answers the request of one connection.
type streamHandler struct {
	keepalive time.Duration
	fault     string
	piece     int
	request   func(StreamRequest)
}

// readStreamRequest reads the body; a problem comes with its status.
func readStreamRequest(w http.ResponseWriter, r *http.Request) (req StreamRequest, status int, err error) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(60 * time.Second))
	body, err := io.ReadAll(io.LimitReader(r.Body, streamBody))
	if err != nil { // the limit stays, as net/http will want the rest
		return req, http.StatusBadRequest, fmt.Errorf("reading request: %w", err)
	}
	_ = rc.SetReadDeadline(time.Time{})
	if err := json.Unmarshal(body, &req); err != nil {
		return req, http.StatusBadRequest, fmt.Errorf("decoding request: %w", err)
	}
	if req.Name == "" {
		return req, http.StatusBadRequest, errors.New("empty command name")
	}
	if len(req.Stdin) > stdinLimit {
		return req, http.StatusRequestEntityTooLarge, fmt.Errorf("stdin %d > max %d", len(req.Stdin), stdinLimit)
	}
	return req, 0, nil
}

func (h *streamHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, text string) { http.Error(w, "exec-stream: "+text, status) }
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(http.StatusMethodNotAllowed, "POST /exec only")
		return
	}
	if r.URL.Path != streamPath {
		refuse(http.StatusNotFound, "unknown path "+r.URL.Path)
		return
	}
	req, status, err := readStreamRequest(w, r)
	if err != nil {
		refuse(status, err.Error())
		return
	}
	if h.request != nil {
		h.request(req)
	}
	if fault := streamFaults[h.fault]; fault != nil {
		fault(w)
		return
	}
	framed := r.Header.Get("Accept") == streamType
	t := "text/plain; charset=utf-8"
	if framed {
		t = streamType
	}
	w.Header().Set("Content-Type", t)
	w.Header().Set("Trailer", trailerExit+", "+trailerTimedOut+", "+trailerDuration+", "+trailerError)
	w.WriteHeader(http.StatusOK)
	b := &streamBodyWriter{w: w, framed: framed, piece: h.piece}
	b.flush()
	h.run(r.Context(), req, b).set(w.Header())
}

func (s StreamResult) set(t http.Header) {
	t.Set(trailerExit, strconv.Itoa(s.ExitCode))
	t.Set(trailerTimedOut, strconv.FormatBool(s.TimedOut))
	t.Set(trailerDuration, strconv.Itoa(s.DurationMS))
	if s.Error != "" {
		t.Set(trailerError, s.Error)
	}
}

// run runs the command in a group of its own, which dies with the context.
func (h *streamHandler) run(ctx context.Context, req StreamRequest, b *streamBodyWriter) (res StreamResult) {
	timeout := 30 * time.Minute
	if req.TimeoutMS > 0 {
		timeout = min(time.Duration(req.TimeoutMS)*time.Millisecond, 24*time.Hour)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, req.Name, req.Arg...)
	cmd.Env = append(os.Environ(), req.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second // output may be slow to leave
	if len(req.Stdin) > 0 {
		cmd.Stdin = bytes.NewReader(req.Stdin)
	}
	cmd.Stdout = streamPart{b, TagStdout, cancel}
	cmd.Stderr = streamPart{b, TagStderr, cancel}
	stop := b.keepAlive(h.keepalive)
	defer stop()
	start := time.Now()
	err := cmd.Run()
	res.ExitCode = -1
	if cmd.ProcessState != nil {
		res.ExitCode = cmd.ProcessState.ExitCode()
	} else if err != nil {
		res.Error = err.Error()
	}
	if ctx.Err() == context.DeadlineExceeded {
		res.TimedOut, res.ExitCode = true, -1
	}
	res.DurationMS = int(time.Since(start) / time.Millisecond)
	return res
}

// streamBodyWriter writes whole frames, or plain output.
type streamBodyWriter struct {
	mu     sync.Mutex
	w      http.ResponseWriter
	framed bool
	piece  int // bytes of a chunk; 0: a frame
}

func (b *streamBodyWriter) flush() { _ = http.NewResponseController(b.w).Flush() }

func (b *streamBodyWriter) put(p []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(p) > 0 {
		n := len(p)
		if b.piece > 0 {
			n = min(n, b.piece)
		}
		if _, err := b.w.Write(p[:n]); err != nil {
			return err
		}
		b.flush()
		p = p[n:]
	}
	return nil
}

// keepAlive sends empty frames until it is stopped.
func (b *streamBodyWriter) keepAlive(every time.Duration) (stop func()) {
	if !b.framed {
		return func() {}
	}
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Add(1)
	go func() {
		defer ended.Done()
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				_ = b.put(frame(TagKeepalive, nil))
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); ended.Wait() }
}

// streamPart is one of the command's two outputs.
type streamPart struct {
	b      *streamBodyWriter
	tag    byte
	failed context.CancelFunc
}

func (s streamPart) Write(p []byte) (int, error) {
	b := p
	if s.b.framed {
		b = frame(s.tag, p)
	}
	if err := s.b.put(b); err != nil {
		s.failed()
		return 0, err
	}
	return len(p), nil
}
