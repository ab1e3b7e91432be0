# SPDX-License-Identifier: GPL-2.0-or-later
# netem.bash FAMILY: the test shows that packets meet what a scenario asks of netem, as its path and as a fault.
# Measurements are by ping, by the connection's own RTT and throughput, by captures and by the nodes' counters. On a
# kernel without netem each scenario is refused with the reason.
. "$(dirname "$0")/lib.bash"
need ip tc ss nstat tcpdump ping
family=$1

unshare --user --map-root-user --net tc qdisc add dev lo root netem delay 1ms 2>/dev/null
here=$?
[ $here = 0 ] || [ "${TESTS_NETEM-}" != 1 ] || fail 'this kernel has no netem, and should'

# meet HOW PARAMETERS WORKLOAD MEASURE: runs the shell function MEASURE among nodes whose path has the
# parameters from the start (path), or whose path gets them after a second (fault), or loses them again
# and has its own delay of 10 ms (healed). Its output is in $tmp/out.
meet() {
	local what="$1 $2" status
	if [ "$1" = path ]; then
		set -- "{kind: routed, $2}" '{at: 1h, fault: power-loss, node: server}' "$3" "$4"
	elif [ "$1" = fault ]; then
		set -- '{kind: routed}' "{at: 1s, fault: netem, $2}" "$3" "$4"
	else
		set -- '{kind: routed, delay: 10ms}' "{at: 500ms, fault: netem, $2}"$'\n  - {at: 1s, heal: netem}' "$3" "$4"
	fi
	cat >"$tmp/netem.yaml" <<-END
		id: X02
		name: netem
		summary: What packets meet
		path: $1
		client: {workload: $3}
		server: {workload: sink}
		timeline:
		  - $2
		horizon: 2h
	END
	chmod 644 "$tmp/netem.yaml"
	declare -f pings "$4" >"$tmp/measure"
	[ $here = 0 ] || set -- "$1" "$2" "$3" : # Without netem there is nothing to measure.
	printf 'sleep 2\npeer=$DEADPEER_SERVER\non() { ip netns exec "$@"; }\n%s\n' "$4" >>"$tmp/measure"
	chmod 644 "$tmp/measure"
	"${as[@]}" timeout 120 "$DEADPEER" shell "$tmp/netem.yaml" --family "$family" -- bash "$tmp/measure" \
		>"$tmp/out" 2>"$tmp/err"
	status=$?
	if [ $here != 0 ]; then
		[ "$status $(grep -c 'netem: this kernel has no sch_netem' "$tmp/err")" = '3 1' ] ||
			fail "$what: without netem: $status: $(cat "$tmp/err")"
		return 1
	fi
	[ $status = 0 ] && return
	fail "$what: exit status $status: $(tail -n 5 "$tmp/err")"
	return 1
}

# holds WHAT CONDITION: fails if the awk expression CONDITION is false. The measurement has printed the variables in
# it as name=value.
holds() {
	echo "$1: $(grep '=' "$tmp/out" | tr '\n' ' ')"
	awk -F = -v condition="${2//[$'\n\t']/ }" '/^[a-z_]+=[0-9.-]+$/ { print $1 " = " $2 } END {
		print "if (!(" condition ")) exit 1" }' "$tmp/out" | sed '1s/^/BEGIN {\n/; $s/$/\n}/' >"$tmp/condition"
	awk -f "$tmp/condition" || fail "$1: not so: $2: $(cat "$tmp/out")"
}

# The number of sigmas by which a count may differ from its mean. Fewer than one count in 100,000 differs by more.
sigmas='4.5 * sqrt'

# The script that runs among the nodes says what $peer is.
# shellcheck disable=SC2154
pings() { # count, interval
	on client ping -n -c "$1" -i "$2" -W 5 "$peer" | awk '
		/time=/ {
			sub(/.*time=/, ""); rtt[n++] = $1; sum += $1; squares += $1 * $1
			if (n == 1 || $1 < min) min = $1
			if ($1 > max) max = $1
			if ($1 < 10) quick++
		}
		/DUP!/ { duplicates++ }
		/packets transmitted/ { sent = $1; received = $4 }
		END { print "n=" n; print "sent=" sent; print "received=" received; print "min=" min; print "max=" max
			print "mean=" sum / n; print "sigma=" sqrt(squares / n - sum / n * sum / n)
			print "duplicates=" 0 + duplicates; print "quick=" 0 + quick }'
	on router tc -s -j qdisc show | jq -r '.[] | select(.kind == "netem")
		| (.dev | sub("-"; "_")) as $dev | "\($dev)_drops=\(.drops)", "\($dev)_packets=\(.packets)"'
}

# The estimated RTT may exceed the delay by 5 ms, because TCP acknowledges every second segment, and so the first of
# two waits for the second.
few() {
	sleep 5
	pings 50 0.02
	on client ss -Htin dport = :5000 | sed -nE 's/.* rtt:([0-9.]+).*/tcp_rtt=\1/p'
}
settled() { pings 50 0.02; }
many() { pings 3000 0.002; }
spread() { pings 1000 0.01; }
captured() {
	on server tcpdump -nn -l -i eth0 'icmp[icmptype] == icmp-echo or icmp6[icmp6type] == icmp6-echo' \
		>/tmp/captured.$$ 2>/dev/null &
	sleep 1
	pings 1000 0.005
	kill $!
	wait $!
	sed -nE 's/.* seq ([0-9]+),.*/\1/p' /tmp/captured.$$ | awk '$1 < last { early++ } { last = $1 } END {
		print "captured=" NR; print "disorder=" 0 + early }'
	rm /tmp/captured.$$
}
counted() {
	sleep 20
	on server nstat -asz TcpInCsumErrors TcpInSegs | awk '/^Tcp/ { print $1 == "TcpInSegs" ? "segments=" $2 : "errors=" $2 }'
}
# The bytes of all frames that arrive are counted, not those that TCP delivers, which vary: a queue that grows under a
# new rate makes TCP time out and send again segments that still wait in the queue.
throughput() {
	local a b from to
	received() { on server ip -s -j link show dev eth0 | jq '.[0].stats64.rx.bytes'; }
	on client ip link set dev eth0 gso_max_segs 1
	sleep 5
	from=${EPOCHREALTIME/./} a=$(received)
	sleep 20
	to=${EPOCHREALTIME/./} b=$(received)
	echo "bits=$(((b - a) * 8000000 / (to - from)))"
	echo "backlog=$(on router tc -s -j qdisc show dev to-server | jq '.[0].qlen // 0')"
}

for how in path fault; do
	if meet $how 'delay: 50ms' '"stream", interval: 5ms, size: 1000' few; then
		holds "$how, delay" 'received == 50 && min >= 100 && max < 103 && tcp_rtt >= 100 && tcp_rtt < 108'
	fi
	# The jitter is uniform in each direction, so that the sum of both has a sigma of 10 ms * sqrt(2 / 3).
	if meet $how 'delay: 50ms, jitter: 10ms' idle spread; then
		holds "$how, jitter" 'received == 1000 && min >= 80 && min < 86 && max > 114 && max < 121
			&& mean > 98.5 && mean < 101.5 && sigma > 7.4 && sigma < 8.9'
	fi
	if meet $how 'loss: 10%' idle many; then
		holds "$how, loss" "(received - 3000 * 0.81) ^ 2 < ($sigmas(3000 * 0.81 * 0.19)) ^ 2
			&& (to_server_drops - 300) ^ 2 < ($sigmas(3000 * 0.1 * 0.9)) ^ 2
			&& (to_client_drops - 270) ^ 2 < ($sigmas(2700 * 0.1 * 0.9)) ^ 2
			&& (sent - received - to_server_drops - to_client_drops) ^ 2 < 100"
	fi
	# Duplicates arise in both directions: a request that comes twice has two replies, each of which may come twice.
	if meet $how 'duplicate: 10%' idle many; then
		holds "$how, duplicate" "received == 3000
			&& (duplicates - 3000 * 0.21) ^ 2 < ($sigmas(3000 * 0.1 * 0.9 * 1.1 * 2.1)) ^ 2"
	fi
	# A bit of what is linear in a packet (net/sched/sch_netem.c, netem_enqueue(): skb_headlen()), which
	# of a segment is its headers: 14, 20 and 32 bytes, of which TCP's checksum finds its own; IPv6 has
	# 40, whose source address it finds as well. Payload is never touched.
	if meet $how 'corrupt: 10%' '"stream", interval: 10ms, size: 1000' counted; then
		part=$([ "$family" = ipv4 ] && echo 32 / 66 || echo 48 / 86)
		holds "$how, corrupt" "segments > 500 && (errors - segments * 0.1 * $part) ^ 2
			< ($sigmas(segments * 0.1 * $part) + segments * 0.005) ^ 2"
	fi
	if meet $how 'delay: 20ms, reorder: 25%' idle captured; then
		holds "$how, reorder" "received == 1000 && captured >= 1000
			&& (quick - 62.5) ^ 2 < ($sigmas(1000 * 0.25 ^ 2 * (1 - 0.25 ^ 2))) ^ 2
			&& disorder > 100 && min < 3 && max > 40 && max < 43"
	fi
	if meet $how 'rate: 1mbit' '"stream", interval: 1ms, size: 10000' throughput; then
		holds "$how, rate" 'bits > 990000 && bits < 1010000 && backlog > 0'
	fi
done
if meet healed 'loss: 100%' idle settled; then
	holds healed 'received == 50 && min >= 20 && max < 23'
fi
finish
