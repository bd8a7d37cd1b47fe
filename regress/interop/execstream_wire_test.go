// SPDX-License-Identifier: ISC

package interop

// The exec stream's HTTP, byte by byte: the known exchanges, what is refused
// and with which words, what only looks like a request.

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// say writes bytes as they are and reads all that comes back.
func (s *streamHost) say(t testing.TB, request string) string {
	t.Helper()
	c := s.stream(t, StreamURIs[0])
	defer c.Close()
	go func() { _, _ = io.Copy(c, strings.NewReader(request)) }()
	b, _ := io.ReadAll(c)
	return string(b)
}

// post makes a request by hand.
func post(body string, headers ...string) string {
	return "POST /exec HTTP/1.1\r\nHost: dmsgpty\r\nAccept: " + streamType + "\r\n" +
		strings.Join(append(headers, ""), "\r\n") + "\r\n" + body
}

func length(body string) string { return fmt.Sprintf("Content-Length: %d", len(body)) }

// marking is a body whose command leaves a file behind.
func (s *streamHost) marking(name string) (path, body string) {
	path = filepath.Join(s.dir, name)
	return path, `{"name":"touch","arg":["` + path + `"]}`
}

func absent(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		t.Errorf("%s: the command was run", filepath.Base(path))
	}
}

// parse reads one whole response.
func parse(t testing.TB, text string) (r *http.Response, body string) {
	t.Helper()
	from := bufio.NewReader(strings.NewReader(text))
	r, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatalf("%v: %.500q", err, text)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("%v: %.500q", err, text)
	}
	if rest, _ := io.ReadAll(from); len(rest) != 0 {
		t.Errorf("%.200q after the response", rest)
	}
	return r, string(b)
}

var varies = regexp.MustCompile(`(Date|X-Exec-Duration-Ms): [^\r]*`)

// comparable gives a response without what varies, its headers in order, and
// of output whose chunks follow the writes of another run the head alone.
func comparable(response string, whole bool) string {
	head, body, _ := strings.Cut(varies.ReplaceAllString(response, "$1"), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	slices.Sort(lines[1:])
	if !whole {
		body = ""
	}
	return strings.Join(lines, "\n") + "\n\n" + body
}

// The requests of the vectors get the responses of the vectors.
func TestStreamKnownAnswers(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	for _, e := range exchanges(t) {
		t.Run(e.name, func(t *testing.T) {
			whole := !strings.Contains(e.response, "out\n")
			got, want := comparable(s.say(t, e.request), whole), comparable(e.response, whole)
			if got != want {
				t.Errorf("got %.600q, want %.600q", got, want)
			}
		})
	}
	s.works(t)
}

// Without the exact type in Accept: both outputs as they come, no frames.
func TestStreamPlain(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	for _, accept := range []string{"", "*/*", streamType + ", */*", streamType + ";q=1", "text/plain"} {
		body := `{"name":"sh","arg":["-c","echo out; sleep 0.1; echo err >&2; sleep 0.1; echo out2; exit 7"]}`
		req := NewStreamRequest([]byte(body))
		req.Header.Del("Accept")
		if accept != "" {
			req.Header.Set("Accept", accept)
		}
		r, err := Exchange(s.stream(t, StreamURIs[0]), req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r.Body)
		var res StreamResult
		if err != nil || res.trailers(r.Trailer) != nil || res.ExitCode != 7 {
			t.Errorf("%q: %v, %v", accept, err, r.Trailer)
		}
		if string(b) != "out\nerr\nout2\n" || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%q: %q, %v", accept, b, r.Header)
		}
	}
}

// Refusals by the service, in its own words.
func TestStreamRefusals(t *testing.T) {
	t.Parallel()
	s := startStreamHost(t)
	touch := func(name string) string { _, body := s.marking(name); return body }
	long := func(total int) string { // valid JSON of so many bytes
		const head, tail = `{"name":"true","junk":"`, `"}`
		return head + strings.Repeat("x", total-len(head)-len(tail)) + tail
	}
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		text               string
	}{
		"GET":             {"GET", "/exec", "", 405, "exec-stream: POST /exec only\n"},
		"PUT":             {"PUT", "/exec", touch("a"), 405, "exec-stream: POST /exec only\n"},
		"lower case":      {"post", "/exec", touch("a"), 405, "exec-stream: POST /exec only\n"},
		"path":            {"POST", "/x", touch("a"), 404, "exec-stream: unknown path /x\n"},
		"longer path":     {"POST", "/exec/", touch("a"), 404, "exec-stream: unknown path /exec/\n"},
		"root":            {"POST", "/", touch("a"), 404, "exec-stream: unknown path /\n"},
		"no body":         {"POST", "/exec", "", 400, "exec-stream: decoding request: "},
		"no JSON":         {"POST", "/exec", "hello", 400, "exec-stream: decoding request: "},
		"half":            {"POST", "/exec", touch("a")[:20], 400, "exec-stream: decoding request: "},
		"array":           {"POST", "/exec", `["touch"]`, 400, "exec-stream: decoding request: "},
		"name is 5":       {"POST", "/exec", `{"name":5}`, 400, "exec-stream: decoding request: "},
		"arg is a string": {"POST", "/exec", `{"name":"true","arg":"x"}`, 400, "exec-stream: decoding request: "},
		"arg of numbers":  {"POST", "/exec", `{"name":"true","arg":[1]}`, 400, "exec-stream: decoding request: "},
		"bad base64":      {"POST", "/exec", `{"name":"true","stdin":"a*b="}`, 400, "exec-stream: decoding request: "},
		"short base64":    {"POST", "/exec", `{"name":"true","stdin":"abc"}`, 400, "exec-stream: decoding request: "},
		"half a second":   {"POST", "/exec", `{"name":"true","timeout_ms":0.5}`, 400, "exec-stream: decoding request: "},
		"no name":         {"POST", "/exec", `{"arg":["x"]}`, 400, "exec-stream: empty command name\n"},
		"null name":       {"POST", "/exec", `{"name":null}`, 400, "exec-stream: empty command name\n"},
		"largest body":    {"POST", "/exec", long(streamBody), 200, ""},
		"a byte more":     {"POST", "/exec", long(streamBody + 1), 400, "exec-stream: decoding request: "},
		"1 MB of stdin": {"POST", "/exec", `{"name":"true","stdin":"` + strings.Repeat("AAAA", 349526) + `"}`,
			400, "exec-stream: decoding request: "},
		"unknown keys": {"POST", "/exec", `{"x":{"name":[1,{}]},"name":"true","y":null,"z":[[]]}`, 200, ""},
		"nulls":        {"POST", "/exec", `{"name":"true","arg":null,"env":null,"stdin":null,"timeout_ms":null}`, 200, ""},
		"spaces":       {"POST", "/exec", " {\r\n\t\"name\" : \"\\u0074rue\" } \n", 200, ""},
		"query":        {"POST", "/exec?x=1", `{"name":"true"}`, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			head := c.method + " " + c.path + " HTTP/1.1\r\nHost: dmsgpty\r\nAccept: " + streamType + "\r\n"
			if c.body != "" {
				head += length(c.body) + "\r\n"
			}
			r, body := parse(t, s.say(t, head+"\r\n"+c.body))
			if r.StatusCode != c.status || !strings.HasPrefix(body, c.text) || !r.Close {
				t.Fatalf("%s, %.200q", r.Status, body)
			}
			if c.status == 200 {
				if r.Trailer.Get(trailerExit) != "0" {
					t.Errorf("trailers %v", r.Trailer)
				}
				return
			}
			if r.Header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.HasSuffix(body, "\n") ||
				(r.StatusCode == 405) != (r.Header.Get("Allow") == "POST") {
				t.Errorf("%v, %q", r.Header, body)
			}
		})
	}
	absent(t, filepath.Join(s.dir, "a"))
	s.works(t)
}
