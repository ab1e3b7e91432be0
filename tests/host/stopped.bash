# SPDX-License-Identifier: GPL-2.0-or-later
# stopped.bash [OPTION...]: deadpeer stands still for some seconds while connections end. What nobody looked at in time
# is inconclusive, and neither a failure nor a wrong number beside "pass". OPTIONs are for `deadpeer run`.
. "$(dirname "$0")/lib.bash"

# scenario NAME <YAML
scenario() {
	{
		echo "name: $1"
		echo 'summary: looked at too late'
		cat
	} >"$tmp/$1.yaml"
	chmod 644 "$tmp/$1.yaml"
}

# Its end is found by looks alone, and what is expected of it has no time.
scenario request <<-END
	client: {workload: idle, autoconnect: false, net.ipv4.tcp_syn_retries: 6}
	server: {workload: idle, net.ipv4.tcp_synack_retries: 2}
	timeline:
	  - {at: 1s, fault: drop, direction: client-to-server, flags: "ACK,!SYN"}
	  - {at: 1100ms, action: connect, node: client}
	  - {at: 1200ms, fault: power-loss, node: client}
	horizon: 30s
	expect:
	  server: {outcome: timed-out, mechanism: synack}
END
# The trial ends before the look that the sample is expected of.
scenario sample <<-END
	client: {workload: idle, net.ipv4.tcp_fin_timeout: 3}
	server: {workload: idle, close_on_eof: false}
	timeline:
	  - {at: 1s, action: close, node: client}
	  - {at: 1100ms, fault: power-loss, node: server}
	horizon: 30s
	sample: 1s
	expect:
	  client: {samples: [{at: 4s, state: CLOSE}]}
END

for name in request sample; do
	start $name "$tmp/$name.yaml" "$@"
	start $name-stopped "$tmp/$name.yaml" "$@"
done
# A SYN+ACK goes out, and the last timer of each of them ends, while nobody looks.
sleep 3.5
kill -STOP "${started[request-stopped]}" "${started[sample-stopped]}"
sleep 8
kill -CONT "${started[request-stopped]}" "${started[sample-stopped]}"
for name in request sample; do
	await $name
	json $name 'length == 1 and .[0].verdict == "pass"'
	wait "${started[$name-stopped]}"
	[ $? = 4 ] || fail "$name: stopped: $(cat "$tmp/$name-stopped.json")"
	json $name-stopped 'length == 1 and .[0].verdict == "inconclusive" and (.[0].inconclusive | length > 0)'
done
finish
