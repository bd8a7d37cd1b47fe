// SPDX-License-Identifier: ISC

package interop

// Gob streams made by hand, byte by byte from PROTOCOL.pty 5.2: legal ones that
// encoding/gob would never write.

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Ids that every stream knows, and kinds of a definition.
const (
	idBool, idInt, idUint, idFloat, idBytes, idString, idComplex = 1, 2, 3, 4, 5, 6, 7

	kindArray, kindSlice, kindStruct, kindMap   = 1, 2, 3, 4
	kindGobEncoder, kindBinary, kindText        = 5, 6, 7
	requestID, execID, stringsID, sizeID, reqID = 9000, 500, 64, 70000, 8000
)

func gobUint(n uint64) []byte {
	if n < 128 {
		return []byte{byte(n)}
	}
	var b []byte
	for ; n > 0; n >>= 8 {
		b = append([]byte{byte(n)}, b...)
	}
	return append([]byte{byte(256 - len(b))}, b...)
}

func gobInt(n int64) []byte {
	if n < 0 {
		return gobUint(uint64(^n)<<1 | 1)
	}
	return gobUint(uint64(n) << 1)
}

func gobString(s string) []byte { return append(gobUint(uint64(len(s))), s...) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// message frames a payload behind a type id.
func message(id int64, payload ...[]byte) []byte {
	body := join(gobInt(id), join(payload...))
	return join(gobUint(uint64(len(body))), body)
}

// list sends values of a slice.
func list(values ...string) []byte {
	b := gobUint(uint64(len(values)))
	for _, v := range values {
		b = join(b, gobString(v))
	}
	return b
}

type field struct {
	name string
	id   int64
}

// defineStruct leaves the type without a name of its own.
func defineStruct(id int64, fields ...field) []byte {
	all := gobUint(uint64(len(fields)))
	for _, f := range fields {
		all = join(all, []byte{1}, gobString(f.name), []byte{1}, gobInt(f.id), []byte{0})
	}
	common := join([]byte{1, 2}, gobInt(id), []byte{0})
	if len(fields) == 0 {
		return message(-id, []byte{kindStruct}, common, []byte{0, 0})
	}
	return message(-id, []byte{kindStruct}, common, []byte{1}, all, []byte{0, 0})
}

// define is for the other kinds: elem and length of what has them, or key and elem.
func define(id int64, kind byte, numbers ...int64) []byte {
	b := join([]byte{kind, 1, 1}, gobString("any name"), []byte{1}, gobInt(id), []byte{0})
	for _, n := range numbers {
		b = join(b, []byte{1}, gobInt(n))
	}
	return message(-id, b, []byte{0, 0})
}

// Request with its fields the other way round; Seq must not be 0.
var requestType = defineStruct(requestID, field{"Seq", idUint}, field{"ServiceMethod", idString})

func call(seq uint64, method string) []byte {
	return message(requestID, []byte{1}, gobUint(seq), []byte{1}, gobString(method), []byte{0})
}

// pingCall has an argument without fields.
func pingCall(seq uint64) []byte {
	return join(call(seq, "pty.Ping"), message(requestID, []byte{0}))
}

// raw opens a stream and sends what it begins with.
func (d *daemon) raw(t testing.TB, stream ...[]byte) *gobPeer {
	t.Helper()
	c := d.open(t)
	if _, err := c.Write(join(stream...)); err != nil {
		t.Fatal(err)
	}
	return newPeer(c)
}

// expect takes the next reply and checks its number and error.
func (g *gobPeer) expect(t testing.TB, seq uint64, problem string, v any) {
	t.Helper()
	r := g.reply(t, v)
	if r.Seq != seq || !strings.HasPrefix(r.Error, problem) || (problem == "") != (r.Error == "") {
		t.Errorf("reply %+v, want %d %q", r, seq, problem)
	}
}

// Ids from everywhere, parts before and behind their users, fields reversed.
func TestRawOrder(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	g := d.raw(t, requestType,
		defineStruct(reqID, field{"Env", stringsID}, field{"Unknown", idFloat},
			field{"Size", sizeID}, field{"Arg", stringsID}, field{"Name", idString}),
		define(stringsID, kindSlice, idString),
		defineStruct(sizeID, field{"Cols", idUint}, field{"Rows", idUint}),
		call(7, "pty.Start"),
		message(reqID, []byte{1}, list("A=b", "", "C"), []byte{1}, gobUint(0xfe3f), // 1.5
			[]byte{1, 1, 90, 1, 33, 0}, []byte{1}, list("-c", "stty size; echo $A"),
			[]byte{1}, gobString("sh"), []byte{0}))
	g.expect(t, 7, "", &empty)
	var out []byte
	for seq := uint64(8); bytes.Count(out, []byte("\n")) < 2; seq++ {
		if _, err := g.Write(join(call(seq, "pty.Read"), message(idInt, []byte{0}, gobInt(100)))); err != nil {
			t.Fatal(err)
		}
		var b []byte
		g.expect(t, seq, "", &b)
		out = append(out, b...)
	}
	if string(out) != "33 90\r\nb\r\n" {
		t.Errorf("said %q", out)
	}
}

// Every kind that a field can have is passed over by its definition alone.
func TestRawUnknownKinds(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	one := func(b ...byte) []byte { return b }
	for _, c := range []struct {
		name  string
		types []byte // of id 100, and what it takes
		value []byte
	}{
		{"bool", nil, nil},
		{"slice of slices", join(define(100, kindSlice, 101), define(101, kindSlice, idInt)), one(2, 1, 4, 0)},
		{"array of maps", join(define(100, kindArray, 101, 2), define(101, kindMap, idString, idFloat)),
			one(2, 1, 1, 'k', 9, 0)},
		{"map to structs", join(define(100, kindMap, idInt, 101), defineStruct(101, field{"S", idString})),
			one(2, 2, 1, 1, 'x', 0, 4, 0)},
		{"complex", defineStruct(100, field{"C", idComplex}), one(1, 5, 7, 0)},
		{"GobEncoder", define(100, kindGobEncoder), one(3, 1, 2, 3)},
		{"BinaryMarshaler", define(100, kindBinary), one(0)},
		{"TextMarshaler", define(100, kindText), one(2, 'x', 'y')},
		{"struct of itself", defineStruct(100, field{"Next", 100}, field{"V", idUint}), one(1, 2, 5, 0, 1, 6, 0)},
		{"twenty structs deep", defineStruct(100, field{"Next", 100}),
			join(bytes.Repeat(one(1), 20), make([]byte, 21))},
		{"empty struct", defineStruct(100), one(0)},
		{"bytes", define(100, kindSlice, idBytes), one(2, 0, 1, 9)},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, value := int64(100), c.value
			if c.types == nil {
				id, value = idBool, one(1)
			}
			g := d.raw(t, c.types, requestType,
				defineStruct(execID, field{"Before", id}, field{"Name", idString}, field{"After", id}),
				call(1, "pty.Exec"),
				message(execID, one(1), value, one(1), gobString("true"), one(1), value, one(0)))
			res := CommandExecResult{ExitCode: 5}
			g.expect(t, 1, "", &res)
			if res.ExitCode != 5 || len(res.Stderr) != 0 { // 0 is not sent
				t.Errorf("%+v", res)
			}
			_, _ = g.Write(pingCall(2))
			g.expect(t, 2, "", &empty)
		})
	}
}

// An argument that does not fit is its call's error, and its alone.
func TestRawWrongKinds(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	size := func(name string, id int64, value ...byte) []byte {
		return join(defineStruct(100, field{name, id}), message(100, []byte{1}, value, []byte{0}))
	}
	for _, c := range []struct {
		name, method string
		arg          []byte
	}{
		{"signed Rows", "pty.SetPtySize", size("Rows", idInt, 2)},
		{"Rows of text", "pty.SetPtySize", size("Rows", idString, 1, 'x')},
		{"Rows over 16 bits", "pty.SetPtySize", size("Rows", idUint, 0xfd, 1, 0, 0)},
		{"no field of ours", "pty.SetPtySize", size("rows", idUint, 1)},
		{"Name of bytes", "pty.Exec", size("Name", idBytes, 1, 'x')},
		{"unsigned TimeoutMS", "pty.Exec", size("TimeoutMS", idUint, 1)},
		{"Arg of numbers", "pty.Start", join(define(101, kindSlice, idInt), size("Arg", 101, 1, 2))},
		{"Arg of text", "pty.Start", size("Arg", idString, 1, 'x')},
		{"Size a number", "pty.Start", size("Size", idUint, 1)},
		{"Stdin of text", "pty.Exec", size("Stdin", idString, 1, 'x')},
		{"text for bytes", "pty.Write", message(idString, []byte{0}, gobString("x"))},
		{"number for bytes", "pty.Write", message(idInt, []byte{0, 2})},
		{"unsigned for int", "pty.Read", message(idUint, []byte{0, 2})},
		{"float for int", "pty.Read", message(idFloat, []byte{0, 2})},
		{"struct for int", "pty.Read", size("N", idInt, 2)},
		{"number for struct", "pty.Exec", message(idInt, []byte{0, 2})},
		{"number for nothing", "pty.Ping", message(idInt, []byte{0, 2})},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := d.raw(t, requestType, call(1, c.method), c.arg, pingCall(2))
			g.expect(t, 1, "gob: ", &empty)
			g.expect(t, 2, "", &empty)
		})
	}
}

// As many definitions as there may be, and one more.
func TestRawDefinitions(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	var types []byte
	for i := range 63 {
		types = append(types, defineStruct(int64(1000+i), field{fmt.Sprint(i), idInt})...)
	}
	g := d.raw(t, types, requestType, pingCall(1))
	g.expect(t, 1, "", &empty)
	_, _ = g.Write(defineStruct(2000, field{"x", idInt}))
	silence(t, g.Conn.Conn)
	d.serves(t)
}
