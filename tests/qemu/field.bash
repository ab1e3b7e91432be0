# SPDX-License-Identifier: GPL-2.0-or-later
# field.bash KERNEL [all]: the test shows that the expectations of the shipped scenarios hold which run programs of others,
# with their real settings, in virtual time; and that a guest restored where its programs are ready gives the same
# bytes as one in which they have just started. PostgreSQL takes half a minute to be ready in each variant of its
# scenario; without "all" one of them has to do.
. "$(dirname "$0")/../host/lib.bash"
need qemu-system-x86_64 jq redis-server redis-cli psql nginx curl haproxy mosquitto mosquitto_sub sshd ssh
/usr/bin/python3 -c 'import redis' || skip "no python3-redis; scripts/setup installs it"
kernel=$1
"$DEADPEER" kernels list | grep -q "^ *$kernel\." || skip "no kernel $kernel: deadpeer kernels fetch $kernel"
export PATH=/usr/bin:/bin:/usr/sbin:/sbin

# run NAME ARGUMENT...: a shipped scenario, or one of its variants, as records in $tmp/NAME.json.
run() {
	timeout 600 "$DEADPEER" run "${@:2}" --engine qemu --kernel "$kernel" --json >"$tmp/$1.json" 2>"$tmp/$1.err" ||
		fail "$1: exit status $?: $(head -n 5 "$tmp/$1.err")"
	json "$1" 'length > 0 and all(.verdict == "pass" and .failures == [] and .lost == 0)'
}

for file in "$SOURCE"/scenarios/8-*/*.yaml; do
	name=$(basename "$file" .yaml)
	echo "$name after $SECONDS s"
	[ "$name/${2-}" = postgres/ ] && name=postgres/power-loss
	run "${name%/*}" "$name"
done

# What the tracepoints saw at the end is what the sockets had set before, and what the predictions go by.
json redis 'map(.endpoints.server) | map(select(.mechanism == "keepalive")) | length == 1 and all(.options.keepalive_idle_s == 300 and
	.predicted_s.earliest <= .detection_s.kernel and .detection_s.kernel <= .predicted_s.latest)'
json postgres 'map(.endpoints["default.client"] | select(.mechanism == "keepalive")) | length == 1 and all(.detection_s.kernel > 7800 and
	.predicted_s.earliest <= .detection_s.kernel and .detection_s.kernel <= .predicted_s.latest)'

for what in 'nginx-curl client' 'openssh client' 'postgres tuned.tuned' 'redis client' 'redis-pool client'; do
	read -r name end <<<"$what"
	json "$name" "map(.endpoints[\"$end\"] | select(.outcome == \"timed-out\")) | length == 1 and all(
		.predicted_s.earliest <= .detection_s.kernel and .detection_s.kernel <= .predicted_s.latest)"
done

# The same trial with the guest that was kept, with another seed, and with one that boots for it.
echo "restored after $SECONDS s"
run first redis/client-power-loss
run again redis/client-power-loss
cmp "$tmp/first.json" "$tmp/again.json" || fail "the same seed gives other bytes"
run other redis/client-power-loss --seed 5
run booted redis/client-power-loss --seed 5 --no-snapshot
cmp "$tmp/other.json" "$tmp/booted.json" || fail "a guest that was restored gives other bytes than one that has booted"
cmp -s "$tmp/first.json" "$tmp/other.json" && fail "another seed gives the same bytes"
finish
