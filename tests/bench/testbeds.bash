# SPDX-License-Identifier: GPL-2.0-or-later
# testbeds.bash PROGRAM: counts testbeds that are set up and torn down per second, by deadpeer (PROGRAM) and by ip
# commands, in turns. deadpeer has to make five times as many.
. "$(dirname "$0")/../host/lib.bash"
need_root
need ip unshare
best_ours=0 best_ip=0
for turn in 1 2 3; do
	ours=$("$1" 100) || exit
	by_ip=$(unshare --mount bash "$(dirname "$0")/testbeds-by-ip.bash" 10) || exit
	echo "turn $turn: deadpeer $ours, ip $by_ip testbeds per second"
	best_ours=$(printf '%s\n' "$best_ours" "$ours" | sort -g | tail -n 1)
	best_ip=$(printf '%s\n' "$best_ip" "$by_ip" | sort -g | tail -n 1)
done
awk -v a="$best_ours" -v b="$best_ip" 'BEGIN {
	printf "testbeds per second: deadpeer %.1f, ip %.1f: %.1f times as many\n", a, b, a / b
	exit !(a >= 5 * b) }' || fail "less than 5 times as many"
finish
