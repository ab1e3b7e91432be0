# SPDX-License-Identifier: GPL-2.0-or-later
# catalogue.bash KERNEL: the test runs every scenario that this kernel can run, with default settings, in both families.
# The expectations of each scenario hold, and another run gives the same bytes.
. "$(dirname "$0")/../host/lib.bash"
need qemu-system-x86_64
kernel=$1
"$DEADPEER" kernels list | grep -q "^ *$kernel\." || skip "no kernel $kernel: deadpeer kernels fetch $kernel"

for run in first second; do
	"$DEADPEER" run --all --engine qemu --kernel "$kernel" --family both --trace --json >"$tmp/$run" 2>"$tmp/$run.err"
	status=$?
	# Status 3 says that the kernel lacks what some scenarios need.
	[ $status = 0 ] || [ $status = 3 ] || fail "the $run run: exit status $status: $(tail -n 3 "$tmp/$run.err")"
done
jq -r 'select(.verdict != "pass") | "\(.scenario) \(.variant // "") \(.family): \(.failures | join("; "))"' "$tmp/first" \
	>"$tmp/failed"
[ -s "$tmp/failed" ] && fail "not as expected: $(cat "$tmp/failed")"
echo "$(wc -l <"$tmp/first") records"
[ "$(wc -l <"$tmp/first")" -gt 300 ] || fail "that is no whole catalogue"
cmp "$tmp/first" "$tmp/second" || fail "another run, other bytes"
finish
