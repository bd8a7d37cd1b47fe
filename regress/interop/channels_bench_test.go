// SPDX-License-Identifier: ISC

package interop

import (
	"io"
	"net/rpc"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkChannelsEcho types a key into a terminal that echoes it, by itself
// and while another channel of the same connection brings 1 GiB.
func BenchmarkChannelsEcho(b *testing.B) {
	for name, bulk := range map[string]bool{"idle": false, "bulk": true} {
		b.Run(name, func(b *testing.B) { benchEcho(b, bulk) })
	}
}

func benchEcho(b *testing.B, bulk bool) {
	mux := overChannels(b, startDaemon(b))
	var moved atomic.Int64
	ended := make(chan struct{})
	if bulk {
		st := channel(b, mux, "skypty/1/exec")
		_ = must(st.Write(startFrame(0, "head", "-c", "1G", "/dev/zero")))(b)
		go func() {
			defer close(ended)
			n, _ := io.Copy(io.Discard, st)
			moved.Store(n)
		}()
	}
	client := rpc.NewClient(channel(b, mux, "dmsgpty/pty"))
	check(b, client.Call("pty.Start", CommandReq{Name: "cat"}, nil))
	var times []time.Duration
	begun := time.Now()
	for open := true; open && (bulk || len(times) < 1000); {
		var got []byte
		echo := client.Go("pty.Read", 100, &got, nil)
		at := time.Now()
		typed := client.Go("pty.Write", []byte("x"), new(int), nil)
		check(b, (<-echo.Done).Error)
		times = append(times, time.Since(at))
		check(b, (<-typed.Done).Error)
		select {
		case <-ended:
			open = false
		case <-time.After(time.Millisecond):
		}
	}
	slices.Sort(times)
	at := func(q float64) float64 {
		return float64(times[int(q*float64(len(times)-1))].Microseconds())
	}
	b.ReportMetric(at(0.5), "p50-us")
	b.ReportMetric(at(0.99), "p99-us")
	b.ReportMetric(float64(len(times)), "keys")
	if bulk {
		b.ReportMetric(float64(moved.Load())/1e6/time.Since(begun).Seconds(), "MB/s")
	}
}
