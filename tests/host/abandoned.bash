# SPDX-License-Identifier: GPL-2.0-or-later
# abandoned.bash [OPTION...]: a user's own server gives a dead client up after 3 s, of which one is over when the
# client's power goes. It lives on, or it exits, or it never calls close() itself; the row is the same. One that is told by
# a FIN has not given up. OPTIONs are for `deadpeer run`.
. "$(dirname "$0")/lib.bash"
need python3

python=$("${as[@]}" python3 -c 'import sys; print(sys.executable)')
cat >"$tmp/server.py" <<-END
	import socket, sys, time
	family = socket.AF_INET6 if sys.argv[1] == "ipv6" else socket.AF_INET
	s = socket.create_server(("", 5000), family=family)
	c, peer = s.accept()
	c.settimeout(3)
	try:
	    c.recv(1)
	except TimeoutError:
	    pass
	if sys.argv[2] == "shutdown":
	    c.shutdown(socket.SHUT_WR)
	elif sys.argv[2] != "exit":
	    c.close()
	if sys.argv[2] != "exit":
	    time.sleep(1000)
END
cat >"$tmp/gives-up.yaml" <<-END
	name: gives-up
	summary: The user's program gives the peer up
	client: {workload: idle}
	horizon: 6s
	timeline: [{at: 1s, fault: power-loss, node: client}]
	expect:
	  server: {outcome: abandoned, error: none, mechanism: application, after: 200ms, before: 3500ms}
	variants:
	  - {name: close, server.command: [$python, $tmp/server.py, "{family}", close]}
	  - {name: shutdown, server.command: [$python, $tmp/server.py, "{family}", shutdown]}
	  - {name: exit, server.command: [$python, $tmp/server.py, "{family}", exit]}
	  - name: told
	    server.command: [$python, $tmp/server.py, "{family}", close]
	    timeline: [{at: 1s, fault: crash, node: client}]
	    expect: {server: {outcome: closed, mechanism: fin-received, after: 0s, before: 1s}}
END
chmod 755 "$tmp"
chmod 644 "$tmp"/*.yaml "$tmp"/*.py

start gives-up "$tmp/gives-up.yaml" --family both "$@"
await gives-up
json gives-up 'length == 8 and all(.verdict == "pass")'
# The program's clock has the moment, and the kernel's none: it ended nothing.
json gives-up 'map(select(.variant != "told").endpoints.server.detection_s)
	| all(.kernel == null and .application > 0.2 and .wire <= .application + 0.001)'
finish
