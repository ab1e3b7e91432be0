# SPDX-License-Identifier: GPL-2.0-or-later
# field.bash: the test shows that the expectations of the shipped scenarios hold which run programs of others, with
# their quick settings, in real time, over IPv4 and IPv6. They wait rather than work, so all of them run at once. They
# start one after another: all their testbeds at once keep the kernel's RTNL lock busy for ten seconds, and a power
# loss, which takes it some times, then takes half a second.
. "$(dirname "$0")/lib.bash"
need redis-server redis-cli psql nginx curl haproxy mosquitto mosquitto_sub sshd ssh
/usr/bin/python3 -c 'import redis' || skip "no python3-redis; scripts/setup installs it"
# Programs of this machine are found as on a user's, whatever the machine of the test has before them.
export PATH=/usr/bin:/bin:/usr/sbin:/sbin

names=()
for file in "$SOURCE"/scenarios/8-*/*.yaml; do
	names+=("$(basename "$file" .yaml)")
	start "${names[-1]}" "$file" --quick --family both
	sleep 1.5
done
for name in "${names[@]}"; do
	await "$name" late missed-event
	json "$name" 'length >= 6 and all(.verdict == "pass" and .failures == [] and .lost == 0)'
done
# With a tracepoint or without: what the programs have set was read of their sockets.
json redis 'all(.endpoints.client.options | .keepalive == "on" and .keepalive_idle_s == 15 and
	.keepalive_interval_s == 5 and .keepalive_count == 3 and .nodelay == "on")'
finish
