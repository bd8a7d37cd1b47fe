// SPDX-License-Identifier: ISC

package interop

// skypty fleet with hosts that do not tell the truth.

import (
	"io"
	"strings"
	"testing"
)

// A host that says that a signal has ended the command, and which one that
// there is none of, costs the other hosts nothing: the journal can be read.
func TestFleetOddSignal(t *testing.T) {
	t.Parallel()
	for name, number := range map[string]string{
		"minus one": "\xff\xff\xff\xff",
		"least":     "\x80\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dest := goHost(t, only("skypty/1/exec", func(c *Conn) {
				_, _ = io.WriteString(c, started)
				_, _ = c.Write(frame(6, []byte("\x01"+number+"\x00\x00\x00\x00\x00\x00\x00\x01")))
				_, _ = io.Copy(io.Discard, c)
			}))
			env := []string{"XDG_STATE_HOME=" + t.TempDir()}
			got := skyptyWith(t, env, nil, "fleet", "--no-visor-key", "tcp://"+dest, "--", "true")
			if got.status != 1 || !strings.Contains(got.err, "killed by signal ?") {
				t.Fatalf("%+v", got)
			}
			run := strings.TrimPrefix(strings.SplitN(got.err, "\n", 2)[0], "run ")
			if got = skyptyWith(t, env, nil, "fleet", "show", run); got.status != 0 || !strings.Contains(got.out, "killed by signal ?") {
				t.Errorf("%+v", got)
			}
		})
	}
}
