// SPDX-License-Identifier: ISC

// Gopeer is a Go host or client of the pty protocol, for trying things by hand.
package main

import (
	"encoding/hex"
	"flag"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"strings"

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

func host(addr, sk, wl string) {
	h := &interop.Host{Key: key(sk), Payloads: interop.Payloads{PQ: true}}
	if wl != "" {
		h.Allow = func(pk [33]byte) bool {
			return strings.Contains(wl, hex.EncodeToString(pk[:]))
		}
	}
	l, err := net.Listen("tcp", addr)
	check(err)
	fmt.Printf("%s@%s\n", h.Key.Hex(), l.Addr())
	h.Serve(l)
}

func run(dest, sk string, argv []string) {
	pk, addr, _ := strings.Cut(dest, "@")
	raw, err := hex.DecodeString(pk)
	check(err)
	c, err := net.Dial("tcp", addr)
	check(err)
	conn, err := interop.Dial(c, key(sk), raw, interop.Payloads{PQ: true})
	check(err)
	answer, err := interop.Open(conn, "dmsgpty/pty")
	check(err)
	if answer != 0 {
		check(fmt.Errorf("rejected: %d", answer))
	}
	var res interop.CommandExecResult
	check(rpc.NewClient(conn).Call("pty.Exec",
		interop.CommandExecReq{Name: argv[0], Arg: argv[1:]}, &res))
	_, _ = os.Stdout.Write(res.Stdout)
	_, _ = os.Stderr.Write(res.Stderr)
	os.Exit(res.ExitCode & 0xff)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: gopeer host [-sk key] [-wl pk,pk] address\n"+
		"       gopeer exec [-sk key] pk@host:port cmd [args]")
	os.Exit(64)
}

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	sk := flags.String("sk", "", "secret key; random without")
	wl := flags.String("wl", "", "host: public keys let in, divided by commas; everybody without")
	_ = flags.Parse(os.Args[2:])
	switch {
	case os.Args[1] == "host" && flags.NArg() == 1:
		host(flags.Arg(0), *sk, *wl)
	case os.Args[1] == "exec" && flags.NArg() >= 2:
		run(flags.Arg(0), *sk, flags.Args()[1:])
	default:
		usage()
	}
}
