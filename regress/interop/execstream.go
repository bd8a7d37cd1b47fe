// SPDX-License-Identifier: ISC

package interop

// The exec stream, PROTOCOL.pty 7.2: a command in one HTTP request and response.

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	streamPath = "/exec"
	streamType = "application/vnd.skywire.exec-stream.v1"
	streamBody = 1<<20 + 1<<16 // bytes of a request's body that a host reads
	frameLimit = 1 << 20       // bytes of a frame

	trailerExit     = "X-Exec-Exit-Code"
	trailerTimedOut = "X-Exec-Timed-Out"
	trailerDuration = "X-Exec-Duration-Ms"
	trailerError    = "X-Exec-Error"
)

// Frame tags.
const (
	TagKeepalive = 0
	TagStdout    = 1
	TagStderr    = 2
)

// StreamURIs are the spellings of the service, as a client asks for them.
var StreamURIs = []string{"dmsgpty/exec-stream", "dmsgpty/exec"}

// StreamRequest is the body of the request.
type StreamRequest struct {
	Name      string   `json:"name"`
	Arg       []string `json:"arg,omitempty"`
	Env       []string `json:"env,omitempty"`
	Stdin     []byte   `json:"stdin,omitempty"`
	TimeoutMS int      `json:"timeout_ms,omitempty"`
}

// StreamResult is what the trailers say, and what was counted on the way.
type StreamResult struct {
	ExitCode   int
	TimedOut   bool
	DurationMS int
	Error      string
	Keepalives int
}

// NewStreamRequest makes the HTTP request that asks for framed output.
func NewStreamRequest(body []byte) *http.Request {
	r, err := http.NewRequest(http.MethodPost, "http://dmsgpty"+streamPath, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", streamType)
	return r
}

// frame makes one frame.
func frame(tag byte, payload []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{tag}, uint32(len(payload)))
	return append(b, payload...)
}

// ReadFrames copies a framed body to the two writers, to its end.
func ReadFrames(body io.Reader, out, errs io.Writer) (keepalives int, err error) {
	for {
		var head [5]byte
		if _, err := io.ReadFull(body, head[:]); err == io.EOF {
			return keepalives, nil
		} else if err != nil {
			return keepalives, err
		}
		n := binary.BigEndian.Uint32(head[1:])
		if n > frameLimit {
			return keepalives, fmt.Errorf("frame of %d bytes", n)
		}
		to := out
		switch head[0] {
		case TagKeepalive:
			if n != 0 {
				return keepalives, errors.New("keepalive with a payload")
			}
			keepalives++
			continue
		case TagStdout:
		case TagStderr:
			to = errs
		default:
			return keepalives, fmt.Errorf("unknown frame tag %d", head[0])
		}
		if _, err := io.CopyN(to, body, int64(n)); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return keepalives, err
		}
	}
}

// trailers reads a response's trailers, strictly.
func (s *StreamResult) trailers(t http.Header) error {
	exit := t.Get(trailerExit)
	if exit == "" {
		return errors.New("ended before the command reported an exit code")
	}
	var err error
	if s.ExitCode, err = strconv.Atoi(exit); err != nil {
		return err
	}
	if s.DurationMS, err = strconv.Atoi(t.Get(trailerDuration)); err != nil {
		return err
	}
	timedOut := t.Get(trailerTimedOut)
	if timedOut != "true" && timedOut != "false" {
		return fmt.Errorf("%s is %q", trailerTimedOut, timedOut)
	}
	s.TimedOut, s.Error = timedOut == "true", t.Get(trailerError)
	return nil
}

// RunStream runs a command on a connection on which the service is accepted.
func RunStream(c io.ReadWriter, req StreamRequest, out, errs io.Writer) (res StreamResult, err error) {
	body, err := json.Marshal(req)
	if err != nil {
		return res, err
	}
	r, err := Exchange(c, NewStreamRequest(body))
	if err != nil {
		return res, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(r.Body, 4096))
		return res, fmt.Errorf("status %d: %s", r.StatusCode, strings.TrimSpace(string(text)))
	}
	if t := r.Header.Get("Content-Type"); t != streamType {
		return res, fmt.Errorf("content type %q", t)
	}
	if res.Keepalives, err = ReadFrames(r.Body, out, errs); err != nil {
		return res, err
	}
	return res, res.trailers(r.Trailer)
}
