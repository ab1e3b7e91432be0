# SPDX-License-Identifier: GPL-2.0-or-later
# time-wait.bash [OPTION...]: the test shows that a record has a TIME_WAIT that ends before sock_diag can see it. netem
# duplicates each packet. The TIME_WAIT answers the second FIN, but the peer is closed by then and answers with a
# RST, which ends the TIME_WAIT (RFC 1337). With net.ipv4.tcp_rfc1337 it stays. OPTIONs are for `deadpeer run`.
. "$(dirname "$0")/lib.bash"

cat >"$tmp/cut-short.yaml" <<-END
	id: X03
	name: cut-short
	summary: A TIME_WAIT that a reset ends
	path: {kind: routed, delay: 1ms, duplicate: 100%}
	client: {workload: idle}
	server: {workload: echo}
	timeline:
	  - {at: 1s, action: close, node: client}
	horizon: 70s
	expect:
	  client:
	    outcome: closed
	    error: none
	    mechanism: time-wait
	    states: [FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE]
	    packets: [">[F.]", "<[R]"]
	    gone: {before: 500ms}
	variants:
	  - name: killed
	  - name: kept
	    client.net.ipv4.tcp_rfc1337: 1
	    expect: {client: {packets: [">[F.]", "<[F.]", ">[.]"], gone: {after: 59s, before: 65s}}}
END
chmod 644 "$tmp/cut-short.yaml"

start cut "$tmp/cut-short.yaml" --family both "$@"
if [ "${TESTS_NETEM-}" = 1 ] || unshare --user --map-root-user --net tc qdisc add dev lo root netem 2>/dev/null; then
	await cut
	json cut 'length == 4 and all(.verdict == "pass")'
else
	wait "${started[cut]}"
	[ $? = 3 ] && grep -q 'netem: this kernel has no sch_netem' "$tmp/cut.err" ||
		fail "without netem: $(cat "$tmp/cut.err")"
fi
finish
