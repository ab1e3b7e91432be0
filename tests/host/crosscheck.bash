# SPDX-License-Identifier: GPL-2.0-or-later
# crosscheck.bash FAMILY: compares a record with what ss, nstat and tcpdump say of the same trial. ss and nstat
# look into the client's namespace.
. "$(dirname "$0")/lib.bash"
need ss nstat tcpdump nsenter
need_root

descendants() {
	local child
	cat /proc/"$1"/task/*/children 2>/dev/null | tr ' ' '\n' | while read -r child; do
		echo "$child"
		descendants "$child"
	done
}

# find_client: opens, as descriptor $ns, the network namespace of the first process below deadpeer that has a
# connection to the server's port. The open descriptor keeps the namespace for questions after the trial.
find_client() {
	local pid
	for pid in $(descendants "${started[run]}"); do
		exec {ns}<"/proc/$pid/ns/net" || continue
		[ -n "$(inside ss -Htn state established 'dport = :5000')" ] && return
		exec {ns}<&-
	done 2>/dev/null
	return 1
}

inside() {
	nsenter --net="/proc/self/fd/$ns" "$@"
}

# A trial has one loss probe and four timeouts. If the record lacks one of them because of missed-event, there is too
# little to compare although the trial passes, so the trial runs again.
for turn in 1 2 3; do
	unset ns
	start run power-loss-busy --set client.net.ipv4.tcp_retries2=3 --family "$1" --pcap "$tmp/pcap"
	for ((i = 0; i < 200; i++)); do
		find_client && break
		sleep 0.02
	done
	[ -n "${ns-}" ] || { fail "no client to be seen"; finish; }
	: >"$tmp/ss"
	while kill -0 "${started[run]}" 2>/dev/null; do
		inside ss -Htnoi 'dport = :5000' >>"$tmp/ss"
		sleep 0.01
	done
	await run
	shows "$tmp/run.json" missed-event || break
done
json run 'length == 1 and .[0].verdict == "pass"'

# ss prints "timer:(on,204ms,0)" and "rto:204": after 0 retransmissions a timeout of 204 ms was running. The
# record has each timeout at the retransmission that it ended in.
grep -q 'timer:(on,' "$tmp/ss" || fail "ss saw no retransmission timer"
sed -nE 's/.*timer:\(on,[^,]*,([0-9]+)\).*/\1/p; s/.*[[:space:]]rto:([0-9.]+).*/rto \1/p' "$tmp/ss" |
	awk '$1 != "rto" { n = $1; next } { print n, $2 / 1000 }' |
	sort -n | uniq -c | awk '$1 > 1 { print $2, $3 }' >"$tmp/seen"
jq -r '.endpoints.client.retransmissions | map(select(.reason != "loss-probe"))
	| to_entries[] | select(.value.rto_s) | "\(.key) \(.value.rto_s)"' "$tmp/run.json" >"$tmp/recorded"
[ "$(wc -l <"$tmp/recorded")" -ge 3 ] || fail "fewer than 3 timeouts recorded"
while read -r count rto; do
	awk -v count="$count" -v rto="$rto" '$1 == count && $2 >= rto - 0.0041 && $2 <= rto + 0.0041 \
		{ found = 1 } END { exit !found }' "$tmp/seen" ||
		fail "ss saw no timer of $rto s after $count retransmissions"
done <"$tmp/recorded"

counted=$(inside nstat -asz TcpRetransSegs | awk '$1 == "TcpRetransSegs" { print $2 }')
json run ".[0].endpoints.client.retransmissions | length == ${counted:-0}"

dump() {
	tcpdump -nn -tt -r - <"$tmp/pcap/power-loss-busy-$1-$2.pcap" 2>"$tmp/tcpdump.err" ||
		fail "tcpdump: $(cat "$tmp/tcpdump.err")"
}
for node in client router server; do
	dump "$1" $node >"$tmp/$node.txt"
	grep -m 1 'Flags' "$tmp/$node.txt" | grep -qF 'Flags [S]' || fail "$node: the first is no SYN"
	[ "$(grep -cF 'Flags [P.]' "$tmp/$node.txt")" -gt 15 ] || fail "$node: there is no stream"
done
# The FIN of the dying host's kernel is dropped on the router, whose capture may have it.
grep -E 'Flags \[[^]]*[FR]' "$tmp/client.txt" && fail "a FIN or RST got out"
# The last packet on the wire is the last retransmission.
wire=$(jq '.endpoints.client | (.detection_s.wire - .retransmissions[-1].t_s) | fabs < 0.01' "$tmp/run.json")
[ "$wire" = true ] || fail "the wire's last packet is not the last retransmission"
first=$(awk '/Flags/ { print $1; exit }' "$tmp/client.txt")
last=$(awk '/Flags/ { t = $1 } END { print t }' "$tmp/client.txt")
span=$(jq '.endpoints.client | .detection_s.wire - .states[0].t_s' "$tmp/run.json")
awk -v a="$first" -v b="$last" -v s="$span" 'BEGIN { d = b - a - s; exit !(d > -0.05 && d < 0.05) }' ||
	fail "the capture spans $first to $last, the record $span s"
finish
