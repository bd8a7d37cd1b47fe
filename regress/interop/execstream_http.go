// SPDX-License-Identifier: ISC

package interop

// One HTTP exchange on one connection, from either side.

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Exchange sends a request and reads the response's head.
func Exchange(c io.ReadWriter, req *http.Request) (*http.Response, error) {
	sent := make(chan error, 1)
	go func() { sent <- req.Write(c) }()
	from := bufio.NewReader(c)
	r, err := http.ReadResponse(from, req)
	for err == nil && r.StatusCode/100 == 1 {
		r, err = http.ReadResponse(from, req)
	}
	if err == nil {
		return r, nil
	}
	select {
	case failed := <-sent:
		if failed != nil {
			return nil, failed
		}
	default:
	}
	return nil, err
}

// once is a listener with a single connection.
type once struct {
	conn   net.Conn
	closed chan struct{}
	given  bool
	end    sync.Once
}

func (o *once) Accept() (net.Conn, error) {
	if !o.given {
		o.given = true
		return o.conn, nil
	}
	<-o.closed
	return nil, net.ErrClosed
}

func (o *once) Close() error {
	o.end.Do(func() { close(o.closed) })
	return nil
}

func (o *once) Addr() net.Addr { return o.conn.LocalAddr() }

// serveHTTP serves one request on a connection, as the original does.
func serveHTTP(c net.Conn, h http.Handler) {
	l := &once{conn: c, closed: make(chan struct{})}
	var handlers sync.WaitGroup
	s := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handlers.Add(1)
			defer handlers.Done()
			h.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: time.Minute,
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed || state == http.StateHijacked {
				_ = l.Close()
			}
		},
	}
	s.SetKeepAlivesEnabled(false)
	_ = s.Serve(l)
	handlers.Wait() // one that took the connection over works on
}
