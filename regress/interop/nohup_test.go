// SPDX-License-Identifier: ISC

package interop

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// Whoever starts the tests by nohup(1) would have every program that they
// start ignore SIGHUP, too.  What is caught here is default again there.
func TestMain(m *testing.M) {
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	os.Exit(m.Run())
}
