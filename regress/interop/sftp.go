// SPDX-License-Identifier: ISC

package interop

// SFTP, PROTOCOL.pty 8: after the mux the stream is version 3, nothing around it.

import (
	"github.com/pkg/sftp"
)

// SFTPURI is the service.
const SFTPURI = "dmsgpty/sftp"

// serveSFTP serves the whole file system, as the original does.
func (h *Host) serveSFTP(conn *Conn) {
	var options []sftp.ServerOption
	if h.SFTPReadOnly {
		options = append(options, sftp.ReadOnly())
	}
	s, err := sftp.NewServer(conn, options...)
	if err != nil {
		return
	}
	_ = s.Serve()
	_ = s.Close()
}
