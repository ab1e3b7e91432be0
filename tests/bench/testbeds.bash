# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark counts testbeds that are set up and torn down per second: by deadpeer (TESTBEDS, the program testbeds.c,
# one process that talks to the kernel in batches), by `ip -batch`, one for each host, and by one ip command for each
# step, as people do it in scripts. They take turns. deadpeer has to make five times as many as the last.
. "$(dirname "$0")/lib.bash"
need_root
need ip unshare
: "${TESTBEDS:?}"
n=10
[ "$quick" = 0 ] || n=1
by_ip() {
	unshare --mount bash "$(dirname "$0")/testbeds-by-ip.bash" "$@"
}
ours=() batch=() single=()
for ((turn = 0; turn < runs; turn++)); do
	ours+=("$("$TESTBEDS" $((10 * n)))") || exit
	batch+=("$(by_ip "$n" batch)") || exit
	single+=("$(by_ip "$n" single)") || exit
done
a=$(median "${ours[@]}") b=$(median "${batch[@]}") c=$(median "${single[@]}")
figure testbeds.deadpeer "$a" testbeds/s "testbeds a second by deadpeer"
figure testbeds.batch "$b" testbeds/s "testbeds a second by ip -batch"
figure testbeds.single "$c" testbeds/s "testbeds a second by one ip a step"
figure testbeds.beside-batch "$(calc "$a / $b")" times "deadpeer beside ip -batch"
figure testbeds.beside-single "$(calc "$a / $c")" times "deadpeer beside one ip a step"
[ "$quick" = 1 ] || [ "$(calc "$a >= 5 * $c")" = 1 ] || fail "less than 5 times as many"
finish
