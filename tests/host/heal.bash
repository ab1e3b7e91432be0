# SPDX-License-Identifier: GPL-2.0-or-later
# The test shows in the testbed which fault a heal ends: with both links of the router down, the one that is
# healed comes back and not the other; a fault that stands twice lasts until both are healed; 500 equal
# faults and 500 heals are checked and run without delay.
. "$(dirname "$0")/lib.bash"
need ip

# scenario NAME HORIZON: writes the scenario $tmp/NAME.yaml with the timeline on standard input.
scenario() {
	{
		printf '%s\n' "name: $1" 'summary: What a heal ends' 'server: {workload: sink}' "horizon: $2" 'timeline:'
		sed 's/^/  - /'
	} >"$tmp/$1.yaml"
	chmod 644 "$tmp/$1.yaml"
}

for ((i = 0; i < 1000; i++)); do
	echo "{at: $((100 + 20 * i))ms, $([ $i -lt 500 ] && echo fault || echo heal): blackhole}"
done | scenario many 30s
"${as[@]}" timeout 30 "$DEADPEER" check "$tmp/many.yaml" >"$tmp/out" 2>&1 ||
	fail "500 faults and 500 heals: check: exit status $?: $(cat "$tmp/out")"
start many "$tmp/many.yaml"

for family in ipv4 ipv6; do
	for order in 'client server' 'server client'; do
		for healed in client server; do
			scenario side 1h <<-END
				{at: 100ms, fault: interface-down, node: router, side: ${order% *}}
				{at: 200ms, fault: interface-down, node: router, side: ${order#* }}
				{at: 300ms, heal: interface-down, node: router, side: $healed}
			END
			up=$("${as[@]}" timeout 60 "$DEADPEER" shell "$tmp/side.yaml" --family $family -- \
				sh -c 'sleep 1; ip netns exec router ip -j link show up' 2>"$tmp/err" |
				jq -r '[.[].ifname | select(. and . != "lo")] | join(" ")')
			[ "$up" = to-$healed ] ||
				fail "$family: $order down, $healed healed: up is '$up': $(tail -n 5 "$tmp/err")"
		done
	done
done

# After one heal of two faults the server must not read a byte that the client sends; after two heals it must.
while read -r fault where; do
	for heals in 1 2; do
		{
			printf '{at: 100ms, fault: %s%s}\n{at: 200ms, fault: %s%s}\n' "$fault" "$where" "$fault" "$where"
			[ $heals = 1 ] || printf '{at: 300ms, heal: %s%s}\n' "$fault" "$where"
			printf '{at: 350ms, heal: %s%s}\n{at: 400ms, action: send, node: client}\n' "$fault" "$where"
		} | scenario "$fault-$heals" 3s
		start "$fault-$heals" "$tmp/$fault-$heals.yaml"
	done
done <<-END
	blackhole
	drop
	cable-pull , node: client
	interface-down , node: router, side: server
	address-remove , node: client
	freeze , node: server
END
for name in $(printf "%s\n" "${!started[@]}" | grep -- "-[12]$"); do
	await "$name"
	# A trial that is not sure whether the connection survived sends a byte of its own 200 ms after the last
	# heal, so that on a busy machine the server may read two bytes.
	case $name in
	*-1) json "$name" '.[0].endpoints.server.bytes.read == 0' ;;
	*) json "$name" '.[0].endpoints.server.bytes.read >= 1' ;;
	esac
done

await many
json many '.[0].endpoints.client.outcome == "survived" and (.[0].faults | length) == 1000'
finish
