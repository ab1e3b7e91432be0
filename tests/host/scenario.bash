# SPDX-License-Identifier: GPL-2.0-or-later
# scenario.bash FILE FAMILY: what a shipped scenario expects comes true, with its quick settings. One
# that needs netem is refused by a kernel without it, and by no other.
. "$(dirname "$0")/lib.bash"
need tc

has_netem() {
	unshare --user --map-root-user --net tc qdisc add dev lo root netem delay 1ms 2>/dev/null
}

"${as[@]}" "$DEADPEER" run "$1" --quick --family "$2" --json >"$tmp/run.json" 2>"$tmp/run.err"
status=$?
cat "$tmp/run.err"
jq -r '"\(.scenario) \(.variant // ""): \(.verdict) \(.failures | join("; "))"' "$tmp/run.json"
case $status in
0) json run 'length > 0 and all(.verdict == "pass" and .failures == [] and .lost == 0)' ;;
3)
	has_netem && fail "netem is said to be missing, but tc has it"
	[ -s "$tmp/run.err" ] || fail "exit status 3 names nothing that is missing"
	grep -v 'netem: this kernel has no sch_netem' "$tmp/run.err" && fail "said something else"
	json run 'all(.verdict == "pass")'
	;;
*) fail "exit status $status" ;;
esac
finish
