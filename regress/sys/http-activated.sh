#!/bin/sh
# SPDX-License-Identifier: ISC
# skyptyd http under a service manager: on its socket, telling it when it
# serves and when it ends, with the file of its own socket gone afterwards.
. regress/sys/lib.sh
need_http
need_command systemd-socket-activate

# status URL [OPTION...]: what a browser would be answered.
status() {
	"$PYTHON" - "$@" <<-'EOF'
		import http.client, socket, sys
		host, port, path = sys.argv[1:4]
		if port == "unix":
		    c = http.client.HTTPConnection("admin.test")
		    c.sock = socket.socket(socket.AF_UNIX)
		    c.sock.connect(host)
		else:
		    c = http.client.HTTPConnection(host, int(port), timeout=10)
		c.request("GET", path)
		print(c.getresponse().status)
	EOF
}

activated() {
	start_host
	web_port=$(free_port)
	log=$dir/log.activate
	spawn "$log" systemd-socket-activate -l "127.0.0.1:$web_port" \
		"$bin/skyptyd" http --haddr "$sock" --token-file "$dir/link"
	web=$pid
	wait_for "the port" grep -q "Listening on" "$log"
	equal "$(status 127.0.0.1 "$web_port" /)" 401 "without a link"
	wait_for "the link" test -s "$dir/link"
	link=$(cat "$dir/link")
	case $link in
	"http://127.0.0.1:$web_port/?token="*) ;;
	*) fail "the link is $link" ;;
	esac
	equal "$(status 127.0.0.1 "$web_port" "/?${link#*\?}")" 303 "the link"
	kill -HUP "$web" # means nothing to it
	kill -USR1 "$web"
	wait_for "another link" other_link
	equal "$(status 127.0.0.1 "$web_port" "/?${link#*\?}")" 403 "the old one"
	kill "$web"
	wait_gone "skyptyd http" "$web"
	stop_host
}

other_link() {
	[ -s "$dir/link" ] && [ "$(cat "$dir/link")" != "$link" ]
}

managed() {
	start_host
	spawn "$dir/told" "$PYTHON" "$LIB/notify_socket.py" "$dir/notify"
	wait_for "the manager" grep -q bound "$dir/told"
	group=$(id -gn "$account")
	NOTIFY_SOCKET=$dir/notify spawn "$dir/log.web" "$bin/skyptyd" http \
		--unix "$dir/web" --unix-group "$group" --haddr "$sock" \
		--origin http://admin.test --no-auth
	web=$pid
	wait_for "READY" grep -q "READY=1" "$dir/told"
	equal "$(stat -c '%a %G' "$dir/web")" "660 $group" "its socket"
	equal "$(status "$dir/web" unix /config.json)" 200 "config.json"
	kill -INT "$web"
	wait_for "STOPPING" grep -q "STOPPING=1" "$dir/told"
	wait_gone "skyptyd http" "$web"
	status=0
	wait "$web" || status=$?
	equal $status 0 "exit status"
	[ ! -e "$dir/web" ] || fail "its socket is still there"
	stop_host
}

# One that hangs is killed, and the end is no later for it.
hanging() {
	start_host
	start_http
	child=$(children "$web")
	kill -STOP "$child"
	kill "$web"
	wait_gone "skyptyd http" "$web"
	gone "$child" || fail "the confined process is left behind"
	stop_host
}

either activated
both managed
either hanging
