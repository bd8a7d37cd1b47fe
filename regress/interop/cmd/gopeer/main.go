// SPDX-License-Identifier: ISC

// Gopeer is a Go host or client of the pty protocol, for trying things by hand.
package main

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"slices"
	"strings"
	"time"

	interop "skypty/interop"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gopeer:", err)
		os.Exit(255)
	}
}

func key(sk string) interop.Key {
	if sk == "" {
		return interop.NewKey()
	}
	k, err := interop.ParseKey(sk)
	check(err)
	return k
}

// options are the flags of both commands.
type options struct {
	sk, wl, stream, fault, sftp *string
	keepalive                   *time.Duration
	stub                        *bool
}

func host(addr string, o options) {
	h := &interop.Host{Key: key(*o.sk), Payloads: interop.Payloads{PQ: true},
		StreamFault: *o.fault, Keepalive: *o.keepalive,
		SFTP: *o.sftp != "none", SFTPReadOnly: *o.sftp == "ro"}
	if *o.fault != "" && !slices.Contains(interop.StreamFaults(), *o.fault) {
		check(fmt.Errorf("-fault %s: there are %s", *o.fault, strings.Join(interop.StreamFaults(), ", ")))
	}
	if *o.stream != "none" {
		h.Stream = "dmsgpty/" + *o.stream
	}
	wl := *o.wl
	if wl != "" {
		h.Allow = func(pk [33]byte) bool {
			return strings.Contains(wl, hex.EncodeToString(pk[:]))
		}
	}
	if *o.stub {
		h.Other = interop.StubExec
	}
	l, err := net.Listen("tcp", addr)
	check(err)
	fmt.Printf("%s@%s\n", h.Key.Hex(), l.Addr())
	h.Serve(l)
}

// open asks a host for a service.
func open(dest, sk, uri string) *interop.Conn {
	pk, addr, _ := strings.Cut(dest, "@")
	raw, err := hex.DecodeString(pk)
	check(err)
	c, err := net.Dial("tcp", addr)
	check(err)
	conn, err := interop.Dial(c, key(sk), raw, interop.Payloads{PQ: true})
	check(err)
	answer, err := interop.Open(conn, uri)
	check(err)
	if answer != 0 {
		check(fmt.Errorf("rejected: %d", answer))
	}
	return conn
}

func run(dest string, argv []string, o options) {
	if *o.stream != "none" {
		conn := open(dest, *o.sk, "dmsgpty/"+*o.stream)
		res, err := interop.RunStream(conn, interop.StreamRequest{Name: argv[0], Arg: argv[1:]}, os.Stdout, os.Stderr)
		check(err)
		if res.Error != "" {
			check(errors.New(res.Error))
		}
		os.Exit(res.ExitCode & 0xff)
	}
	conn := open(dest, *o.sk, "dmsgpty/pty")
	var res interop.CommandExecResult
	check(rpc.NewClient(conn).Call("pty.Exec",
		interop.CommandExecReq{Name: argv[0], Arg: argv[1:]}, &res))
	_, _ = os.Stdout.Write(res.Stdout)
	_, _ = os.Stderr.Write(res.Stderr)
	os.Exit(res.ExitCode & 0xff)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: gopeer host [flags] address\n"+
		"       gopeer exec [flags] pk@host:port cmd [args]")
	os.Exit(64)
}

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	o := options{
		sk:        flags.String("sk", "", "secret key; random without"),
		wl:        flags.String("wl", "", "host: public keys let in, divided by commas; everybody without"),
		stream:    flags.String("stream", "none", "exec stream: exec-stream, exec or none"),
		fault:     flags.String("fault", "", "host: how the exec stream is broken; a wrong name lists them"),
		keepalive: flags.Duration("keepalive", 45*time.Second, "host: between frames of the exec stream"),
		sftp:      flags.String("sftp", "none", "host: files, rw, ro or none"),
		stub:      flags.Bool("stub", false, "host: say of each command that it did well, and run none"),
	}
	_ = flags.Parse(os.Args[2:])
	switch {
	case os.Args[1] == "host" && flags.NArg() == 1:
		host(flags.Arg(0), o)
	case os.Args[1] == "exec" && flags.NArg() >= 2:
		run(flags.Arg(0), flags.Args()[1:], o)
	default:
		usage()
	}
}
