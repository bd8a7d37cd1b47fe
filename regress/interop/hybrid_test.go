// SPDX-License-Identifier: ISC

package interop

// Handshakes with ML-KEM beside the curve: both roles and both patterns, and
// whoever insists on it.

import (
	"io"
	"strings"
	"testing"
)

const (
	saysHybrid    = "and ML-KEM-768: post-quantum"
	saysClassical = "alone: not post-quantum"
	saysRefused   = "the host has no post-quantum handshake (RequirePQ)"
)

func TestHybridHost(t *testing.T) {
	t.Parallel()
	d := startDaemonWith(t, nil)
	for _, pq := range []bool{true, false} {
		c := d.dial(t, d.client, Payloads{PQ: pq})
		if c.Hybrid != pq {
			t.Errorf("hybrid: %v", c.Hybrid)
		}
		if out, err := execOver(c, "echo", "x"); err != nil || out != "x\n" {
			t.Errorf("%q, %v", out, err)
		}
	}
}

// What a listed key hears that has none, and a stranger does not.
func TestHybridRequiredByHost(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]map[string]any{
		"configuration": {"require_pq": true},
		"both said":     {"require_pq": true, "authorized_pks": "none"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startDaemonWith(t, how)
			c := d.dial(t, d.client, Payloads{PQ: true})
			if out, err := execOver(c, "echo", "x"); err != nil || out != "x\n" {
				t.Fatalf("%q, %v", out, err)
			}
			c = d.dial(t, d.client, Payloads{})
			got, err := io.ReadAll(c)
			if len(got) == 0 || got[0] != 1 || !strings.Contains(string(got), "post-quantum handshake (require_pq)") {
				t.Errorf("%q, %v", got, err)
			}
			c = d.dial(t, NewKey(), Payloads{})
			if got, _ = io.ReadAll(c); len(got) != 0 {
				t.Errorf("a stranger is told %q", got)
			}
		})
	}
}

func TestHybridRequiredByHostDmsg(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	h := o.host(t, map[string]any{"require_pq": true}).ready(t)
	c := o.client(t, h.client, 0)
	for _, pq := range []bool{true, false} {
		c.PQ = pq
		st := must(c.DialStream(h.key.PK, 22))(t)
		if st.Hybrid != pq {
			t.Errorf("hybrid: %v", st.Hybrid)
		}
		out, err := execOver(st, "echo", "x")
		if pq && (err != nil || out != "x\n") {
			t.Errorf("%q, %v", out, err)
		}
		if !pq && (err == nil || out != "") {
			t.Errorf("served without: %q", out)
		}
	}
	eventually(t, "a word in the log", func() bool {
		return h.said("Refused key " + h.client.Hex() + ": no post-quantum handshake (require_pq)")
	})
	if !h.said("Accepted key "+h.client.Hex()+" (wl), post-quantum") || h.said("not post-quantum") {
		t.Error("the log says otherwise")
	}
}

func TestHybridClient(t *testing.T) {
	t.Parallel()
	for _, pq := range []bool{true, false} {
		ran := false
		h := &Host{Payloads: Payloads{PQ: pq}, Allow: func([33]byte) bool { ran = true; return true }}
		dest := "tcp://" + goHost(t, h)
		says := map[bool]string{true: saysHybrid, false: saysClassical}[pq]
		got := skypty(t, nil, "exec", "-v", dest, "--", "echo", "x")
		if got.status != 0 || got.out != "x\n" || !strings.Contains(got.err, says) {
			t.Errorf("%+v", got)
		}
		ran = false
		for _, env := range []string{"", "SKYWIRE_REQUIRE_PQ=1"} {
			args := []string{"exec", "--require-pq", dest, "--", "echo", "x"}
			if env != "" {
				args = append(args[:1], args[2:]...)
			}
			got = skyptyWith(t, []string{env}, nil, args...)
			if pq && (got.status != 0 || got.out != "x\n") {
				t.Errorf("%+v", got)
			}
			if !pq && (got.status != 255 || got.out != "" || !strings.Contains(got.err, saysRefused) || ran) {
				t.Errorf("%+v, the host has heard who we are: %v", got, ran)
			}
		}
	}
}

func TestHybridClientDmsg(t *testing.T) {
	t.Parallel()
	o := newOverlay(t, 1)
	for _, pq := range []bool{true, false} {
		h := &Host{}
		o.goHost(t, h, 0).PQ = pq
		says := map[bool]string{true: saysHybrid, false: saysClassical}[pq]
		out, errs, code := o.dmsgRun(t, NewKey(), nil, "exec", "-v", h.Key.Hex(), "--", "echo", "x")
		if out != "x\n" || code != 0 || !strings.Contains(errs, says) {
			t.Errorf("%q, %q, %d", out, errs, code)
		}
		out, errs, code = o.dmsgRun(t, NewKey(), nil, "exec", "--require-pq", h.Key.Hex(), "--", "echo", "x")
		if pq && (out != "x\n" || code != 0) || !pq && (out != "" || code != 255 || !strings.Contains(errs, saysRefused)) {
			t.Errorf("%q, %q, %d", out, errs, code)
		}
	}
}
