#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Draws scenarios at random (settings, workloads, faults, delays, families), runs them in virtual time, and
# holds what was measured against what was predicted. A measurement outside its interval, and an end that
# was not detected though that was predicted, are printed with the text of the scenario.
# Usage: predictions.bash KERNEL TRIALS [SEED]
set -euo pipefail
kernel=$1 trials=$2 seed=${3:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
RANDOM=$seed

# Sets `drawn` to a number from $1 to $2. No subshell draws, since that would not move the generator on.
draw()
{
	drawn=$(($1 + (RANDOM << 15 | RANDOM) % ($2 - $1 + 1)))
}
# One of the arguments.
pick()
{
	draw 1 $#
	picked=${!drawn}
}
chance()
{
	draw 1 100
	((drawn <= $1))
}
# Both ends get options of their own: an end is said by the name of its variable.
has() # END OPTION
{
	local -n of=$1
	of+="${of:+, }$2"
}

draw_keepalive() # END
{
	local idle interval
	pick 20 300 7200
	draw 1 "$picked"
	idle=$drawn
	pick 10 100
	draw 1 "$picked"
	interval=$drawn
	draw 1 10
	has "$1" "keepalive: {enabled: true, idle: ${idle}s, interval: ${interval}s, count: $drawn}"
}

draw_user_timeout() # END
{
	pick 2500 5000 100000 1000000
	draw 1500 "$picked"
	has "$1" "user_timeout: ${drawn}ms"
}

draw_sysctls() # END
{
	if chance 60; then
		draw 1 15
		has "$1" "net.ipv4.tcp_retries2: $drawn"
	fi
	if chance 15; then
		has "$1" "net.ipv4.tcp_thin_linear_timeouts: 1"
	fi
	if chance 10; then
		pick net.ipv4.tcp_retrans_collapse net.ipv4.tcp_sack net.ipv4.tcp_timestamps net.ipv4.tcp_early_retrans
		has "$1" "$picked: 0"
	fi
	if chance 30; then
		draw 0 12
		has "$1" "net.ipv4.tcp_orphan_retries: $drawn"
	fi
	if [ "$rto_min" = 1 ] && chance 20; then
		pick 5000 100000 700000
		draw 1000 "$picked"
		has "$1" "net.ipv4.tcp_rto_min_us: $drawn"
	fi
}

draw_workload() # KIND
{
	local interval size
	pick 200 3000
	draw 10 "$picked"
	interval=$drawn
	pick 1 100 1000 1427 1428 1447 1448 1449 5000
	size=$picked
	case $1 in
	busy)
		client="workload: request, interval: ${interval}ms, size: $size" server="workload: echo"
		if chance 30; then has client "nodelay: true"; fi
		if chance 30; then has server "nodelay: true"; fi
		;;
	stream)
		pick true false
		client="workload: stream, interval: ${interval}ms, size: $size, nodelay: $picked" server="workload: sink"
		;;
	heartbeat)
		draw 1 5
		client="workload: heartbeat, interval: $((interval + 200))ms, misses: $drawn" server="workload: echo"
		;;
	*) client="workload: idle" server="workload: sink" ;;
	esac
}

# The fault that silences the peer of END, in `fault`.
draw_fault() # END
{
	local peer=server
	[ "$1" = server ] && peer=client
	pick "fault: power-loss, node: $peer" "fault: blackhole" "fault: cable-pull, node: $peer" \
		"fault: blackhole, direction: client-to-server" "fault: blackhole, direction: server-to-client" \
		"fault: interface-down, node: router, side: $peer"
	fault=$picked
	if chance 15; then
		pick unreachable prohibit
		fault="fault: $picked"
	fi
}

event() # MILLISECONDS TEXT
{
	timeline+="${timeline:+
}  - {at: ${1}ms, $2}"
}

draw_timeline() # KIND END
{
	local fault at later peer=server
	[ "$2" = server ] && peer=client
	draw_fault "$2"
	draw 500 5000
	at=$drawn
	draw 10 60000
	later=$((at + drawn))
	timeline=""
	case $1 in
	syn)
		event 100 "fault: blackhole"
		event $((at + 200)) "action: connect, node: client"
		return
		;;
	one-way)
		pick client-to-server server-to-client
		event 100 "fault: blackhole, direction: $picked"
		event $((at + 200)) "action: connect, node: client"
		return
		;;
	window)
		event 1000 "action: pause-reading, node: $peer"
		event 1000 "action: send, node: $2, size: 256KiB"
		event $((later + 2000)) "$fault"
		return
		;;
	window-orphan)
		event 1000 "action: pause-reading, node: $peer"
		event 1000 "action: send, node: $2, size: 256KiB"
		event $((1000 + at)) "$fault"
		event $((1000 + later)) "action: close, node: $2"
		return
		;;
	orphan)
		event $at "$fault"
		event $later "action: close, node: $2"
		;;
	fin-wait-2 | time-wait | close-wait)
		event $at "action: close, node: $2"
		draw 0 3000
		event $((at + 500 + drawn)) "$fault"
		;;
	shutdown)
		event $at "action: shutdown, node: $2"
		event $((at + 700)) "$fault"
		;;
	last-ack)
		pick client-to-server server-to-client
		event $at "fault: blackhole, direction: $picked"
		event $((at + 100)) "action: close, node: $peer"
		;;
	closing)
		event $at "fault: blackhole"
		event $((at + 100)) "action: close, node: $2"
		event $((at + 200)) "action: close, node: $peer"
		;;
	send)
		event $at "$fault"
		event $later "action: send, node: $2, size: $((drawn % 3000 + 1))"
		;;
	heartbeat)
		if chance 30; then
			pick "fault: freeze, node: $peer" "action: pause-reading, node: $peer"
			fault=$picked
		fi
		event $at "$fault"
		;;
	*) event $at "$fault" ;;
	esac
	if [[ $1 =~ ^(idle|busy|stream|heartbeat|send)$ ]] && chance 25; then
		pick "action: close, node: $2" "action: shutdown, node: $2" "action: send, node: $2, size: 100" "action: exit, node: $2"
		event $((later + 10)) "$picked"
	elif [[ $fault =~ blackhole|unreachable|prohibit|cable ]] && [[ $1 =~ ^(idle|busy|stream|heartbeat|send|orphan)$ ]] && chance 10; then
		event $((later + 100)) "${fault/fault:/heal:}"
	fi
}

draw_scenario() # NUMBER
{
	local kind delay client server timeline end=client horizon=4h
	pick busy idle send syn window stream heartbeat busy stream idle \
		one-way window-orphan orphan fin-wait-2 time-wait close-wait shutdown last-ack closing
	kind=$picked
	case $kind in
	orphan)
		pick idle busy stream
		draw_workload "$picked"
		;;
	*) draw_workload "$kind" ;;
	esac
	if [[ ! $kind =~ ^(syn|one-way)$ ]] && chance 40; then end=server; fi
	case $kind in
	idle) draw_keepalive $end ;;
	send) if chance 60; then draw_keepalive $end; fi ;;
	busy | stream | heartbeat) if chance 20; then draw_keepalive $end; fi ;;
	syn | one-way)
		has client "autoconnect: false"
		draw 1 8
		has client "net.ipv4.tcp_syn_retries: $drawn"
		draw 0 6
		has server "net.ipv4.tcp_synack_retries: $drawn"
		if [ "$syn_linear" = 1 ] && chance 40; then
			draw 0 6
			has client "net.ipv4.tcp_syn_linear_timeouts: $drawn"
		fi
		;;
	fin-wait-2)
		[ $end = client ] && has server "close_on_eof: false" || has client "close_on_eof: false"
		pick 3 20 60 130 300
		draw 1 "$picked"
		has $end "net.ipv4.tcp_fin_timeout: $drawn"
		;;
	close-wait | shutdown) [ $end = client ] && has server "close_on_eof: false" || has client "close_on_eof: false" ;;
	time-wait) if chance 30; then has $end "net.ipv4.tcp_rfc1337: 1"; fi ;;
	esac
	if [[ ! $kind =~ ^(syn|one-way)$ ]]; then draw_sysctls $end; fi
	if chance 35; then draw_user_timeout $end; fi
	if chance 10; then
		pick 1 5 30
		has $end "linger: ${picked}s"
	fi
	pick 0 0 30 250
	draw 0 "$picked"
	delay=$drawn
	draw_timeline "$kind" $end
	# What nobody notices goes on until the horizon, and each packet takes its time.
	if [[ $client =~ (stream|request|heartbeat) ]]; then horizon=30min; fi
	pick ipv4 ipv6
	cat >"$work/$picked-$1-$kind.yaml" <<-EOF
		name: drawn-$1-$kind
		summary: drawn at random
		path: {kind: routed, delay: ${delay}ms}
		client: {$client}
		server: {$server}
		timeline:
		$timeline
		horizon: $horizon
		expect: {client: {}, server: {}}
	EOF
}

# Prints the ends outside their intervals, one a line, and those that are gone outside theirs; the others are counted
# by kind of result. Two ticks are the most that an interval may be wide.
results='
def judge($p; $why; $t; $width):
  if $p == null then (if ($why | type) == "string" then "silent" else "no reason" end)
  elif $t == null then "undetected"
  elif $t < $p.earliest or $t > $p.latest then "outside"
  elif $p.latest - $p.earliest > $width then "wide"
  else "inside" end;
.endpoints | to_entries[] | .key as $node | .value as $e
| (if $e.detection_s.kernel != null then $e.detection_s.kernel else $e.detection_s.application end) as $t
| ("detection", "gone") as $what
| (if $what == "gone" then [$e.gone_predicted_s, $e.gone_unpredicted, $e.gone_s]
   else [$e.predicted_s, $e.unpredicted, $t] end) as [$p, $why, $time]
| "\(judge($p; $why; $time; 0.008))\t\($what)\t\($r.family)-\($r.scenario | ltrimstr("drawn-")).yaml\t\($r.phase)\t\($node)\t\($e.outcome)\t\($e.mechanism)\t\($time)\t\($p)\t\($why)"'

version=${kernel%%[!0-9.]*} rto_min=0 syn_linear=0
if [ "$(printf '%s\n' 6.11 "$version" | sort -V | head -1)" = 6.11 ]; then rto_min=1; fi
if [ "$(printf '%s\n' 6.5 "$version" | sort -V | head -1)" = 6.5 ]; then syn_linear=1; fi
for ((i = 0; i < trials; i++)); do
	draw_scenario "$i"
done
for family in ipv4 ipv6; do
	files=("$work/$family"-*.yaml)
	[ -e "${files[0]}" ] || continue
	status=0
	"$DEADPEER" run --engine qemu --kernel "$kernel" --seed "$seed" --family "$family" --json "${files[@]}" \
		>"$work/$family.json" || status=$?
	# 4: a trial was inconclusive.
	[ "$status" -le 1 ] || [ "$status" -eq 4 ] || exit 1
	jq -r ". as \$r | $results" "$work/$family.json" >>"$work/results"
done
cut -f1,2 "$work/results" | sort | uniq -c
got=$(wc -l <"$work/results")
if [ "$got" -ne "$((4 * trials))" ]; then
	echo "$got of $((4 * trials)) answers"
	exit 1
fi
bad=$(grep -vE $'^(inside|silent)\t' "$work/results" || true)
while IFS=$'\t' read -r result what file rest; do
	[ -n "$result" ] || continue
	printf '%s: %s, kernel %s, seed %s, phase, end, outcome, mechanism, time, interval: %s\n' \
		"$result" "$what" "$kernel" "$seed" "$rest"
	cat "$work/$file"
done <<<"$bad"
# An interval that is never claimed would hold for everything.
inside=$(grep -c ^inside "$work/results" || true)
if [ "$inside" -lt "$trials" ]; then
	echo "only $inside of $trials trials have a prediction"
	exit 1
fi
[ -z "$bad" ]
