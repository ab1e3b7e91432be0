# SPDX-License-Identifier: GPL-2.0-or-later
# testbeds-by-ip.bash N single|batch: makes the testbed of testbeds.c N times by ip commands, and prints how many it
# makes in a second. It has what src/testbed/testbed.c makes: three namespaces, IPv6 off, two veth pairs with fixed hardware
# addresses, addresses, default routes, forwarding, one sysctl; then everything is deleted. "single" is one ip a step,
# "batch" one for each host, and one each that makes and deletes the namespaces.
set -e
n=$1
[ "$(id -u)" = 0 ] || exit 77
mount -t tmpfs bench /run # The names of the namespaces stay in this mount namespace.
mkdir /run/netns

no_ipv6='echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
router=("link set lo up"
	"link add to-client address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:02 netns client"
	"link add to-server address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:02 netns server"
	"link set to-client up" "link set to-server up"
	"address add 10.1.0.1/24 dev to-client" "address add 10.2.0.1/24 dev to-server")
client=("link set lo up" "link set eth0 up" "address add 10.1.0.2/24 dev eth0" "route add default via 10.1.0.1")
server=("link set lo up" "link set eth0 up" "address add 10.2.0.2/24 dev eth0" "route add default via 10.2.0.1")
names=(client router server)

# each NAMESPACE STEP...: what an ip command for each step does.
each() {
	local step node=$1
	shift
	for step; do
		# shellcheck disable=SC2086 # The words of a step are words of the command.
		ip -n "$node" $step
	done
}

single() {
	for node in "${names[@]}"; do
		ip netns add "$node"
		ip netns exec "$node" sh -c "$no_ipv6"
	done
	ip netns exec router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	ip netns exec client sh -c 'echo 3 >/proc/sys/net/ipv4/tcp_retries2'
	each router "${router[@]}"
	each client "${client[@]}"
	each server "${server[@]}"
	for node in "${names[@]}"; do
		ip netns delete "$node"
	done
}

batch() {
	{
		for node in "${names[@]}"; do
			echo "netns add $node"
			echo "netns exec $node sh -c '$no_ipv6'"
		done
		echo "netns exec router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'"
		echo "netns exec client sh -c 'echo 3 >/proc/sys/net/ipv4/tcp_retries2'"
	} | ip -batch -
	printf '%s\n' "${router[@]}" | ip -n router -batch -
	printf '%s\n' "${client[@]}" | ip -n client -batch -
	printf '%s\n' "${server[@]}" | ip -n server -batch -
	printf 'netns delete %s\n' "${names[@]}" | ip -batch -
}

start=$EPOCHREALTIME
for ((i = 0; i < n; i++)); do
	"$2"
done
end=$EPOCHREALTIME
awk -v n="$n" -v us="$((${end/./} - ${start/./}))" 'BEGIN { printf "%.1f\n", n * 1e6 / us }'
