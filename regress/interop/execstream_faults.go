// SPDX-License-Identifier: ISC

package interop

// What a broken exec stream host says after a good request.

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// streamFaults are switched on by name.
var streamFaults = map[string]func(http.ResponseWriter){
	// The command's output is whole, and its fate is not known.
	"abort":        func(w http.ResponseWriter) { raw(w, streamHead, chunk(someOutput)) },
	"cut":          func(w http.ResponseWriter) { raw(w, streamHead, chunk(someOutput), "0\r\n") },
	"cut-trailers": func(w http.ResponseWriter) { raw(w, streamHead, chunk(someOutput), "0\r\nX-Exec-Exit-Code: 0\r\n") },
	"no-exit": func(w http.ResponseWriter) {
		raw(w, streamHead, chunk(someOutput), "0\r\nX-Exec-Timed-Out: false\r\n\r\n")
	},
	"no-trailers":  func(w http.ResponseWriter) { raw(w, streamHead, chunk(someOutput), "0\r\n\r\n") },
	"cut-chunk":    func(w http.ResponseWriter) { raw(w, streamHead, "100\r\n"+someOutput) },
	"cut-head":     func(w http.ResponseWriter) { raw(w, streamHead[:60]) },
	"silent":       func(w http.ResponseWriter) { raw(w) },
	"until-closed": func(w http.ResponseWriter) { raw(w, plainHead, someOutput) },
	"bad-exit":     func(w http.ResponseWriter) { whole(w, someOutput, "seven") },
	"empty-exit":   func(w http.ResponseWriter) { whole(w, someOutput, "") },
	"huge-exit":    func(w http.ResponseWriter) { whole(w, someOutput, "99999999999999999999") },
	"bad-tag":      func(w http.ResponseWriter) { whole(w, someOutput+string(frame(3, []byte("x"))), "0") },
	"oversized":    func(w http.ResponseWriter) { whole(w, someOutput+"\x01\x00\x10\x00\x01x", "0") },
	"largest":      func(w http.ResponseWriter) { whole(w, string(frame(1, bytes.Repeat([]byte("x"), frameLimit))), "0") },
	"half-a-frame": func(w http.ResponseWriter) { whole(w, someOutput+"\x01\x00\x00\x00\x09half", "0") },
	"half-a-head":  func(w http.ResponseWriter) { whole(w, someOutput+"\x01\x00", "0") },
	"empty-frames": func(w http.ResponseWriter) { whole(w, "\x01\x00\x00\x00\x00\x02\x00\x00\x00\x00"+someOutput, "0") },
	"garbage":      func(w http.ResponseWriter) { raw(w, "SSH-2.0-OpenSSH_9.2\r\n") },
	"zeros":        func(w http.ResponseWriter) { raw(w, strings.Repeat("\x00", 5000)) },
	"endless-head": func(w http.ResponseWriter) { raw(w, streamHead[:17], strings.Repeat("X-A: b\r\n", 1<<18)) },
	"endless-line": func(w http.ResponseWriter) { raw(w, streamHead[:17], "X: ", strings.Repeat("x", 2<<20)) },
	"bad-chunk":    func(w http.ResponseWriter) { raw(w, streamHead, "zz\r\n", someOutput) },
	"huge-chunk":   func(w http.ResponseWriter) { raw(w, streamHead, "ffffffffffffffff1\r\n", someOutput) },
	"chunk-end": func(w http.ResponseWriter) {
		raw(w, streamHead, fmt.Sprintf("%x\r\n%s??", len(someOutput), someOutput))
	},
	"both-lengths": func(w http.ResponseWriter) {
		raw(w, streamHead[:len(streamHead)-2], "Content-Length: 9\r\n\r\n", chunk(someOutput), someTrailers)
	},
	"endless-trail": func(w http.ResponseWriter) { raw(w, streamHead, "0\r\n", strings.Repeat("X-A: b\r\n", 1<<18)) },
	"500":           func(w http.ResponseWriter) { http.Error(w, "the disk is \x1b[31m on fire", 500) },
	"500-large":     func(w http.ResponseWriter) { http.Error(w, "begun "+strings.Repeat("y", 1<<20), 500) },
	"500-framed":    func(w http.ResponseWriter) { w.Header().Set("Content-Type", streamType); w.WriteHeader(500); send(w) },
	"redirect":      func(w http.ResponseWriter) { w.Header().Set("Location", "http://127.0.0.1/"); w.WriteHeader(302) },
	"plain-type":    func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/plain"); send(w) },
	"204":           func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) },
	"100-first": func(w http.ResponseWriter) {
		raw(w, "HTTP/1.1 100 Continue\r\n\r\n", streamHead, chunk(someOutput), someTrailers)
	},
}

// StreamFaults are their names.
func StreamFaults() []string { return slices.Sorted(maps.Keys(streamFaults)) }

const (
	someOutput   = "\x01\x00\x00\x00\x04out\n"
	someTrailers = "0\r\nX-Exec-Duration-Ms: 1\r\nX-Exec-Exit-Code: 3\r\nX-Exec-Timed-Out: false\r\n\r\n"
	streamHead   = "HTTP/1.1 200 OK\r\nContent-Type: " + streamType + "\r\n" +
		"Trailer: X-Exec-Exit-Code, X-Exec-Timed-Out, X-Exec-Duration-Ms, X-Exec-Error\r\n" +
		"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
	plainHead = "HTTP/1.1 200 OK\r\nContent-Type: " + streamType + "\r\nConnection: close\r\n\r\n"
)

func chunk(body string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(body), body) }

func send(w http.ResponseWriter) { _, _ = w.Write([]byte(someOutput)) }

// raw takes the connection over, says these bytes and hangs up.
func raw(w http.ResponseWriter, parts ...string) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer c.Close()
	for _, p := range parts {
		if _, err := c.Write([]byte(p)); err != nil {
			return
		}
	}
}

// whole is a complete response with this body and this exit code.
func whole(w http.ResponseWriter, body, exit string) {
	w.Header().Set("Content-Type", streamType)
	w.Header().Set("Trailer", trailerExit+", "+trailerTimedOut+", "+trailerDuration)
	_, _ = w.Write([]byte(body))
	StreamResult{}.set(w.Header())
	w.Header().Set(trailerExit, exit)
}
