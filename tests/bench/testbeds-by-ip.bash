# SPDX-License-Identifier: GPL-2.0-or-later
# testbeds-by-ip.bash N: makes the testbed of testbeds.c N times by ip commands, and prints how many it makes in a
# second. It has what src/testbed/testbed.c makes: three namespaces, IPv6 off, two veth pairs with fixed hardware addresses,
# addresses, default routes, forwarding, one sysctl; then everything is deleted.
set -e
n=$1
[ "$(id -u)" = 0 ] || exit 77
mount -t tmpfs bench /run # The names of the namespaces stay in this mount namespace.
mkdir /run/netns

set_up() {
	for node in client router server; do
		ip netns add $node
		ip netns exec $node sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
			echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
		ip -n $node link set lo up
	done
	ip -n router link add to-client address 02:00:00:00:01:01 type veth \
		peer name eth0 address 02:00:00:00:01:02 netns client
	ip -n router link add to-server address 02:00:00:00:02:01 type veth \
		peer name eth0 address 02:00:00:00:02:02 netns server
	ip netns exec router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	ip -n router link set to-client up
	ip -n router link set to-server up
	ip -n client link set eth0 up
	ip -n server link set eth0 up
	ip -n client address add 10.1.0.2/24 dev eth0
	ip -n server address add 10.2.0.2/24 dev eth0
	ip -n router address add 10.1.0.1/24 dev to-client
	ip -n router address add 10.2.0.1/24 dev to-server
	ip -n client route add default via 10.1.0.1
	ip -n server route add default via 10.2.0.1
	ip netns exec client sh -c 'echo 3 >/proc/sys/net/ipv4/tcp_retries2'
}

tear_down() {
	for node in client router server; do
		ip netns delete $node
	done
}

start=$EPOCHREALTIME
for ((i = 0; i < n; i++)); do
	set_up
	tear_down
done
end=$EPOCHREALTIME
awk -v n="$n" -v us="$((${end/./} - ${start/./}))" 'BEGIN { printf "%.1f\n", n * 1e6 / us }'
