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
client_has()
{
	client+=", $1"
}

draw_keepalive()
{
	local idle interval
	pick 20 300 7200
	draw 1 "$picked"
	idle=$drawn
	pick 10 100
	draw 1 "$picked"
	interval=$drawn
	draw 1 10
	client_has "keepalive: {enabled: true, idle: ${idle}s, interval: ${interval}s, count: $drawn}"
}

draw_user_timeout()
{
	pick 5000 100000 1000000
	draw 500 "$picked"
	client_has "user_timeout: ${drawn}ms"
}

draw_sysctls()
{
	if chance 60; then
		draw 1 15
		client_has "net.ipv4.tcp_retries2: $drawn"
	fi
	if chance 15; then
		client_has "net.ipv4.tcp_thin_linear_timeouts: 1"
	fi
}

draw_workload() # KIND
{
	local interval size
	pick 200 3000
	draw 10 "$picked"
	interval=$drawn
	pick 1 100 1000
	size=$picked
	case $1 in
	busy) client="workload: request, interval: ${interval}ms, size: $size" server=echo ;;
	stream)
		pick true false
		client="workload: stream, interval: ${interval}ms, size: $size, nodelay: $picked" server=sink
		;;
	heartbeat)
		draw 1 5
		client="workload: heartbeat, interval: $((interval + 200))ms, misses: $drawn" server=echo
		;;
	*) client="workload: idle" server=sink ;;
	esac
}

draw_timeline() # KIND
{
	local fault at
	pick "fault: power-loss, node: server" "fault: blackhole" "fault: cable-pull, node: server"
	fault=$picked
	if [ "$1" = busy ] && chance 20; then
		fault="fault: unreachable"
	fi
	draw 500 5000
	at=$drawn
	draw 1000 60000
	case $1 in
	syn) timeline="  - {at: 100ms, fault: blackhole}
  - {at: $((at + 200))ms, action: connect, node: client}" ;;
	window) timeline="  - {at: 1s, action: pause-reading, node: server}
  - {at: 1s, action: send, node: client, size: 256KiB}
  - {at: $((3000 + drawn))ms, fault: blackhole}" ;;
	send) timeline="  - {at: ${at}ms, $fault}
  - {at: $((at + drawn))ms, action: send, node: client, size: 100}" ;;
	*) timeline="  - {at: ${at}ms, $fault}" ;;
	esac
}

draw_scenario() # NUMBER
{
	local kind delay client server timeline
	pick busy idle send syn window stream heartbeat
	kind=$picked
	draw_workload "$kind"
	case $kind in
	idle) draw_keepalive ;;
	send) if chance 60; then draw_keepalive; fi ;;
	syn)
		client_has "autoconnect: false"
		draw 1 8
		client_has "net.ipv4.tcp_syn_retries: $drawn"
		;;
	esac
	if [ "$kind" != syn ]; then draw_sysctls; fi
	if chance 40; then draw_user_timeout; fi
	pick 0 0 30 250
	draw 0 "$picked"
	delay=$drawn
	draw_timeline "$kind"
	pick ipv4 ipv6
	cat >"$work/$picked-$1-$kind.yaml" <<-EOF
		name: drawn-$1-$kind
		summary: drawn at random
		path: {kind: routed, delay: ${delay}ms}
		client: {$client}
		server: {workload: $server}
		timeline:
		$timeline
		horizon: 10d
		expect: {client: {}}
	EOF
}

# Prints the scenarios outside their intervals, one a line; the others are counted by kind of result.
outside='
.endpoints.client as $e
| (if $e.mechanism == "heartbeat" then $e.detection_s.application else $e.detection_s.kernel end) as $t
| if $e.predicted_s == null then (if ($e.unpredicted | type) == "string" then "silent" else "no reason" end)
  elif $t == null then "undetected"
  elif $t < $e.predicted_s.earliest or $t > $e.predicted_s.latest then "outside"
  else "inside" end
| "\(.)\t\($r.family)-\($r.scenario | ltrimstr("drawn-")).yaml\t\($r.phase)\t\($e.mechanism)\t\($t)\t\($e.predicted_s)\t\($e.unpredicted)"'

for ((i = 0; i < trials; i++)); do
	draw_scenario "$i"
done
for family in ipv4 ipv6; do
	files=("$work/$family"-*.yaml)
	[ -e "${files[0]}" ] || continue
	status=0
	"$DEADPEER" run --engine qemu --kernel "$kernel" --seed "$seed" --family "$family" --json "${files[@]}" \
		>"$work/$family.json" || status=$?
	[ "$status" -le 1 ] || exit 1
	jq -r ". as \$r | $outside" "$work/$family.json" >>"$work/results"
done
cut -f1 "$work/results" | sort | uniq -c
got=$(wc -l <"$work/results")
if [ "$got" -ne "$trials" ]; then
	echo "$got of $trials trials have a record"
	exit 1
fi
bad=$(grep -vE $'^(inside|silent)\t' "$work/results" || true)
while IFS=$'\t' read -r what file rest; do
	[ -n "$what" ] || continue
	printf '%s: kernel %s, seed %s, phase, mechanism, time, interval: %s\n' "$what" "$kernel" "$seed" "$rest"
	cat "$work/$file"
done <<<"$bad"
# An interval that is never claimed would hold for everything.
inside=$(grep -c ^inside "$work/results" || true)
if [ "$((inside * 2))" -lt "$trials" ]; then
	echo "only $inside of $trials trials have a prediction"
	exit 1
fi
[ -z "$bad" ]
