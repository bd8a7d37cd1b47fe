// SPDX-License-Identifier: ISC

package interop

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// DmsgEntry is an entry of the discovery, members in canonical order.
type DmsgEntry struct {
	Version   string           `json:"version"`
	Sequence  uint64           `json:"sequence"`
	Timestamp int64            `json:"timestamp"`
	Static    string           `json:"static"`
	Client    *DmsgEntryClient `json:"client,omitempty"`
	Server    *DmsgEntryServer `json:"server,omitempty"`
	Signature string           `json:"signature,omitempty"`
}

// DmsgEntryClient is a client's part.
type DmsgEntryClient struct {
	Delegated []string `json:"delegated_servers"`
}

// DmsgEntryServer is a server's part.
type DmsgEntryServer struct {
	Address   string `json:"address"`
	AddressV6 string `json:"address_v6,omitempty"`
	Available int    `json:"availableSessions"`
}

// Discovery is a dmsg discovery over HTTP.
type Discovery struct {
	mu      sync.Mutex
	Entries map[string]DmsgEntry
	Writes  int // that were accepted
	Deletes int
	// Answer replaces the answer to a request, if it says so.
	Answer func(w http.ResponseWriter, r *http.Request) bool
}

// NewDiscovery makes an empty one.
func NewDiscovery() *Discovery { return &Discovery{Entries: map[string]DmsgEntry{}} }

// AddServer makes a server known.
func (d *Discovery) AddServer(k [33]byte, addr string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	pk := hex.EncodeToString(k[:])
	d.Entries[pk] = DmsgEntry{Version: "0.0.1", Static: pk,
		Server: &DmsgEntryServer{Address: addr, Available: 100}}
}

// Entry is what is stored of a key.
func (d *Discovery) Entry(k [33]byte) (DmsgEntry, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.Entries[hex.EncodeToString(k[:])]
	return e, ok
}

// Put stores an entry as it is.
func (d *Discovery) Put(e DmsgEntry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Entries[e.Static] = e
}

// Written counts the entries that were accepted.
func (d *Discovery) Written() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.Writes
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q,"code":%d}`, text, status)
}

func (d *Discovery) servers(w http.ResponseWriter) {
	var list []DmsgEntry
	for _, e := range d.Entries {
		if e.Server != nil {
			list = append(list, e)
		}
	}
	if len(list) == 0 {
		say(w, 404, "no delegated dmsg servers available for remote")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(list)
}

// check rebuilds the signed bytes from the members it knows.
func checkEntry(e DmsgEntry) error {
	var pk [33]byte
	raw, err := hex.DecodeString(e.Static)
	if err != nil || len(raw) != 33 {
		return fmt.Errorf("bad key")
	}
	copy(pk[:], raw)
	sig, err := hex.DecodeString(e.Signature)
	if err != nil {
		return err
	}
	e.Signature = ""
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return Verify(pk, b, sig)
}

func (d *Discovery) write(w http.ResponseWriter, r *http.Request) {
	var e DmsgEntry
	b, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(b, &e) != nil {
		say(w, 500, "something unexpected happened")
		return
	}
	old, known := d.Entries[e.Static]
	switch {
	case e.Version == "":
		say(w, 422, "entry validation error: entry has no version")
	case e.Client == nil && e.Server == nil:
		say(w, 422, "entry validation error: entry has neither client or server field")
	case checkEntry(e) != nil:
		say(w, 401, "invalid signature")
	case r.Method == http.MethodDelete:
		delete(d.Entries, e.Static)
		d.Deletes++
		say(w, 200, "deleted entry")
	case known && e.Sequence <= old.Sequence:
		say(w, 422, "entry validation error: sequence field of new entry is not sequence of old entry + 1")
	case known && e.Timestamp < old.Timestamp:
		say(w, 422, "entry validation error: advertised entry timestamp is not greater than previous")
	default:
		d.Entries[e.Static] = e
		d.Writes++
		say(w, 200, map[bool]string{true: "wrote new entry iteration", false: "wrote a new entry"}[known])
	}
}

func (d *Discovery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.Answer != nil && d.Answer(w, r) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/dmsg-discovery")
	switch {
	case r.Method == http.MethodGet && (path == "/available_servers" || path == "/all_servers"):
		d.servers(w)
	case r.Method == http.MethodGet && strings.HasPrefix(path, "/entry/"):
		e, ok := d.Entries[strings.TrimPrefix(path, "/entry/")]
		if !ok {
			say(w, 404, "entry of public key is not found")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(e)
	case r.Method == http.MethodPost && path == "/entry/", r.Method == http.MethodDelete && path == "/entry":
		d.write(w, r)
	default:
		http.NotFound(w, r)
	}
}
