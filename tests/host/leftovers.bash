# SPDX-License-Identifier: GPL-2.0-or-later
# leftovers.bash [SEED]: the test shows that deadpeer, killed at any moment, leaves no process, namespace,
# interface or file. The test has namespaces of its own, where nothing else runs, so that whatever is there
# afterwards was left by deadpeer. The kernel counts network namespaces, as their number is limited for each user
# namespace: with a limit of N + 1 (user.max_net_namespaces) one more can be made only if at most N exist.
. "$(dirname "$0")/lib.bash"
need ip unshare
kills=20 reboots=10
RANDOM=${1:-1}

if [ "${TEST_LEFTOVERS_INSIDE-}" != 1 ]; then
	user=()
	if [ "${TEST_ROOTLESS-}" = 1 ] || [ "$(id -u)" != 0 ]; then
		user=(--user --map-root-user)
	fi
	TEST_LEFTOVERS_INSIDE=1 TEST_COUNT=${#user[@]} TEST_ROOTLESS='' \
		"${as[@]}" unshare "${user[@]}" --mount --pid --fork --kill-child --net --mount-proc \
		bash "$0" "$@"
	exit
fi

# The program is copied to a file system of its own, so that each folder for temporary files can be an empty one.
mount -t tmpfs test /mnt
cp -r "$DEADPEER" "$SOURCE/scenarios" /mnt
DEADPEER=/mnt/deadpeer
export DEADPEER_SCENARIOS=/mnt/scenarios
for place in /tmp /var/tmp /dev/shm /run; do # /run is the last, because mount(8) writes to it.
	mount -t tmpfs test $place
done
mkdir /mnt/out
tmp=/mnt/out
as=(env '--default-signal=INT,TERM')
# deadpeer runs as an ordinary user of this user namespace, and has to enter another one by itself.
[ "$TEST_COUNT" != 0 ] && as+=(unshare --user --map-user=1000 --map-group=1000)
echo "seed ${1:-1}; $("${as[@]}" id -u) is its user; $([ "$TEST_COUNT" = 0 ] || echo namespaces are counted)"

# at_most N: tells whether at most N network namespaces exist.
at_most() {
	[ "$TEST_COUNT" = 0 ] && return
	echo $(($1 + 1)) >/proc/sys/user/max_net_namespaces
	unshare --net true 2>/dev/null
	local status=$?
	echo 10000 >/proc/sys/user/max_net_namespaces
	return $status
}

# no_namespace WHAT SECONDS: fails if after SECONDS a network namespace other than the test's own exists.
no_namespace() {
	local give_up=$((SECONDS + $2))
	until at_most 1; do
		[ $SECONDS -lt $give_up ] || { fail "$1: a network namespace is left"; break; }
		sleep 0.1
	done
}

# no_trace WHAT SECONDS: fails if after SECONDS a process other than the test, an interface or a file is left.
no_trace() {
	local give_up=$((SECONDS + $2)) all files
	while all=(/proc/[0-9]*) && [ ${#all[@]} -gt 1 ]; do
		[ $SECONDS -lt $give_up ] || { fail "$1: still running: ${all[*]}"; break; }
		sleep 0.02
	done
	[ "$(ip -o link | wc -l)" = 1 ] || fail "$1: an interface is left: $(ip -o link)"
	files=$(find /tmp /var/tmp /run /dev/shm -mindepth 1)
	[ -z "$files" ] || fail "$1: left: $files"
}

# clean WHAT SECONDS: fails if a process, an interface, a file or a namespace is left.
clean() {
	no_trace "$@"
	no_namespace "$@"
}

nap() {
	sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
}

background() {
	"${as[@]}" "$DEADPEER" run "$@" >"$tmp/log" 2>&1 &
	last=$!
}

# wait_for_agents: waits until the agents of deadpeer run.
wait_for_agents() {
	local i all
	for ((i = 0; i < 500; i++)); do
		all=(/proc/[0-9]*)
		[ ${#all[@]} -gt 3 ] && return
		sleep 0.01
	done
	fail "deadpeer has not come up: $(cat "$tmp/log")"
}

clean "before the first" 5
# The kills hit the set-up, the run, the fault and the end, which all take place within half a second.
for ((n = 0; n < kills; n++)); do
	delay=$((RANDOM % 450))
	background process-crash --quick
	nap $delay
	kill -KILL $last 2>/dev/null # The trial may have ended already.
	wait $last 2>/dev/null
	no_trace "SIGKILL after $delay ms of process-crash" 5
done
# A kill may come while a FIN is under way, and the kernel may take the router's namespace away before
# the FIN's: the orphan then retransmits for as long as tcp_orphan_retries says, 8 times by default, 102 s
# to 205 s (net/ipv4/tcp_timer.c, tcp_orphan_retries()), and keeps its namespace so long. On a machine with
# a load of 8, a third of such rounds saw one.
no_namespace "$kills SIGKILLs of process-crash" 250
# The kills hit trials with a reboot and data in flight. All trials run at once.
for ((n = 0; n < reboots; n++)); do
	delay=$((RANDOM % 3600))
	(
		background reboot-new-server --family both
		nap $delay
		kill -KILL $last
		wait $last
	) 2>/dev/null &
done
wait
# Most of these kills leave orphans, which keep their namespaces for up to 205 s.
clean "SIGKILL across a reboot" 250

for signal in INT TERM; do
	background process-crash
	wait_for_agents
	nap $((RANDOM % 800))
	kill -$signal $last
	wait $last
	status=$?
	[ $status = 130 ] || fail "SIG$signal: exit status $status"
	clean "SIG$signal" 5
done
background power-loss-busy --quick --repeat 50
wait_for_agents
nap 3000
kill -INT $last
SECONDS=0
wait $last
status=$?
[ $status = 130 ] || fail "SIGINT with 50 trials: exit status $status"
[ $SECONDS -le 4 ] || fail "SIGINT with 50 trials: $SECONDS s to the end"
clean "SIGINT with 50 trials" 250
finish
