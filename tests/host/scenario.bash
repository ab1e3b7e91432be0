# SPDX-License-Identifier: GPL-2.0-or-later
# scenario.bash FILE: what a shipped scenario expects comes true with its quick settings, over IPv4 and IPv6 at
# once. A scenario that needs netem, or a sysctl, is refused if the kernel lacks it, and only then.
. "$(dirname "$0")/lib.bash"
need tc

has_netem() {
	unshare --user --map-root-user --net tc qdisc add dev lo root netem delay 1ms 2>/dev/null
}

for turn in 1 2 3; do
	"${as[@]}" "$DEADPEER" run "$1" --quick --family both --json >"$tmp/run.json" 2>"$tmp/run.err"
	status=$?
	[ $status = 1 ] && [ "$turn" -lt 3 ] && flake "$tmp/run.json" late missed-event segmentation || break
done
cat "$tmp/run.err"
jq -r '"\(.scenario) \(.variant // "") \(.family): \(.verdict) \(.failures | join("; "))"' "$tmp/run.json"
case $status in
0) json run 'length > 0 and all(.verdict == "pass" and .failures == [] and .lost == 0)' ;;
3)
	grep -q 'netem: this kernel' "$tmp/run.err" && has_netem && fail "netem is said to be missing, but tc has it"
	sed -nE "s/.*sysctl '([^']+)': came with.*/\1/p" "$tmp/run.err" >"$tmp/sysctls"
	while read -r sysctl; do
		[ -e "/proc/sys/${sysctl//.//}" ] && fail "$sysctl is said to be missing, and is there"
	done <"$tmp/sysctls"
	[ -s "$tmp/run.err" ] || fail "exit status 3 names nothing that is missing"
	grep -vE "netem: this kernel has no sch_netem|sysctl '.*': came with Linux|no quick settings and (is|are) left out" "$tmp/run.err" && fail "said something else"
	json run 'all(.verdict == "pass")'
	;;
*) fail "exit status $status" ;;
esac
finish
