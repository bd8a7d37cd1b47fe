// SPDX-License-Identifier: ISC

package interop

// The pty service's types, as PROTOCOL.pty 5.3 lists them.

// WinSize is a terminal's size.
type WinSize struct{ X, Y, Rows, Cols uint16 }

// CommandReq starts a shell.
type CommandReq struct {
	Name string
	Arg  []string
	Size *WinSize
	Env  []string
}

// CommandExecReq runs a command.
type CommandExecReq struct {
	Name      string
	Arg       []string
	Env       []string
	Stdin     []byte
	TimeoutMS int
}

// CommandExecResult is what it came to.
type CommandExecResult struct {
	Stdout          []byte
	Stderr          []byte
	StdoutTruncated bool
	StderrTruncated bool
	ExitCode        int
	TimedOut        bool
	DurationMS      int
}

var empty struct{}
