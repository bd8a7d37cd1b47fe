// SPDX-License-Identifier: ISC

package interop

// Figures of dmsg for make bench: ratios only, in one run, through one relay.

import (
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	figureRuns = 7
	figureBulk = 128 << 20
)

func middle(f func()) time.Duration {
	var all []time.Duration
	for range figureRuns {
		begun := time.Now()
		f()
		all = append(all, time.Since(begun))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// bulkRPC reads output of a pty by a Go client, as the original's does.
func bulkRPC(t testing.TB, c *Conn) time.Duration {
	r := rpc.NewClient(c)
	defer r.Close()
	cmd := CommandReq{Name: "sh", Arg: []string{"-c", fmt.Sprintf("stty raw; head -c %d /dev/zero", figureBulk/4)}}
	if err := r.Call("pty.Start", cmd, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	begun, total := time.Now(), 0
	for {
		var b []byte
		if err := r.Call("pty.Read", 32768, &b); err != nil {
			break
		}
		total += len(b)
	}
	if total < figureBulk/4 {
		t.Fatal("lost", total)
	}
	return time.Since(begun)
}

func pss(t testing.TB, program string) (kb int) {
	all, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, p := range all {
		exe, err := os.Readlink(p)
		if err != nil || filepath.Base(exe) != program {
			continue
		}
		b, _ := os.ReadFile(filepath.Dir(p) + "/smaps_rollup")
		for _, l := range strings.Split(string(b), "\n") {
			if f := strings.Fields(l); len(f) > 1 && f[0] == "Pss:" {
				n, _ := strconv.Atoi(f[1])
				kb += n
			}
		}
	}
	return kb
}

// countOutput runs a command and counts what it says.
func countOutput(c *exec.Cmd) (int64, error) {
	out, err := c.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := c.Start(); err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, out)
	if err != nil {
		return n, err
	}
	return n, c.Wait()
}

func TestDmsgFigures(t *testing.T) {
	if os.Getenv("SKYPTY_BENCH") == "" {
		t.Skip("for make bench")
	}
	o := newOverlay(t, 1)
	h := o.host(t, map[string]any{"ssh_listen": "127.0.0.1:0", "maxperkey": 3000,
		"maxperaddr": 3000, "maxstartups": "3000"}).ready(t)
	var tcp string
	eventually(t, "the address", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		_, rest, ok := strings.Cut(h.log.String(), "Listening on ")
		tcp, _, _ = strings.Cut(rest, "\n")
		return ok
	})
	id := filepath.Join(t.TempDir(), "id")
	os.WriteFile(id, []byte(h.client.SK()+"\n"), 0o600)
	run := func(dest string, cmd ...string) {
		c := exec.Command(program(t, "SKYPTY", "skypty"), append([]string{"exec", "-i", id,
			"--dmsgdisc", o.http.URL, dest, "--"}, cmd...)...)
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
	}
	direct := "tcp://" + h.key.Hex() + "@" + tcp
	a, b := middle(func() { run(h.key.Hex(), "true") }), middle(func() { run(direct, "true") })
	fmt.Printf("exec true: dmsg / tcp %.1f (100 ms of it are silence that old servers need)\n", a.Seconds()/b.Seconds())

	head := fmt.Sprintf("head -c %d /dev/zero", figureBulk)
	ours := middle(func() { run(h.key.Hex(), "sh", "-c", head) })
	gh := &Host{}
	o.goHost(t, gh, 0)
	gc := o.client(t, NewKey(), 0)
	raw := middle(func() {
		c, err := gc.DialStream(gh.Key.PK, 22)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if answer, err := Open(c, "dmsgpty/pty"); err != nil || answer != 0 {
			t.Fatal(answer, err)
		}
		bulkRPC(t, c)
	})
	fmt.Printf("bulk through the relay: skypty exec / a Go pair's pty %.1f times\n",
		float64(figureBulk)/ours.Seconds()/(float64(figureBulk/4)/raw.Seconds()))

	both := middle(func() {
		c := exec.Command(program(t, "SKYPTY", "skypty"), "start", "-i", id, "--dmsgdisc", o.http.URL,
			"-c", "sh", "-a", "-c,stty raw; "+head, h.key.Hex())
		n, err := countOutput(c)
		if err != nil || n < figureBulk {
			t.Fatal(n, err)
		}
	})
	fmt.Printf("bulk of a pty: skyptyd and skypty / a Go pair %.1f times\n",
		float64(figureBulk)/both.Seconds()/(float64(figureBulk/4)/raw.Seconds()))

	oc := o.client(t, h.client, 0)
	pty := middle(func() {
		c, err := oc.DialStream(h.key.PK, 22)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if answer, err := Open(c, "dmsgpty/pty"); err != nil || answer != 0 {
			t.Fatal(answer, err)
		}
		bulkRPC(t, c)
	})
	fmt.Printf("bulk of a pty to a Go client: skyptyd / a Go host %.1f times\n", raw.Seconds()/pty.Seconds())

	before := pss(t, "skyptyd-dmsg")
	fmt.Printf("memory of skyptyd-dmsg: %d kB", before)
	var open []io.Closer
	for _, n := range []int{1, 100, 1000} {
		for len(open) < n {
			c, err := oc.DialStream(h.key.PK, 22)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(c, "dmsgpty/pty"); err != nil {
				t.Fatal(err)
			}
			open = append(open, c)
		}
		fmt.Printf(", with %d streams %d kB", n, pss(t, "skyptyd-dmsg"))
	}
	fmt.Println()
	for _, c := range open {
		c.Close()
	}
}
