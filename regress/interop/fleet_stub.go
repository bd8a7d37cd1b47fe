// SPDX-License-Identifier: ISC

package interop

// A host that takes commands and runs none: a fleet of very many is one process.

import (
	"encoding/binary"
	"io"
)

// ExecURI is our own service for commands.
const ExecURI = "skypty/1/exec"

// ReadStart reads what is to be run.
func ReadStart(c *Conn) error {
	var head [5]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(head[1:])))
	return err
}

// SayItDidWell tells that it has begun, and ended with status 0.
func SayItDidWell(c *Conn) {
	_, _ = c.Write(append(frame(4, nil), frame(6, make([]byte, 13))...))
	_, _ = io.Copy(io.Discard, c)
}

// StubExec is the service of such a host.
func StubExec(uri string) func(*Conn) {
	if uri != ExecURI {
		return nil
	}
	return func(c *Conn) {
		if ReadStart(c) == nil {
			SayItDidWell(c)
		}
	}
}
