# SPDX-License-Identifier: GPL-2.0-or-later
# mutations.bash PROGRAM KERNEL FAMILY [--quick]: the records of the whole catalogue fail when an expectation is
# altered so that it is false of them.
. "$(dirname "$0")/../host/lib.bash"
need qemu-system-x86_64
program=$1 kernel=$2 family=$3
shift 3
"$DEADPEER" kernels list | grep -q "^ *$kernel\." || skip "no kernel $kernel: deadpeer kernels fetch $kernel"

"$DEADPEER" run --all --engine qemu --kernel "$kernel" --family "$family" "$@" --trace --json \
	>"$tmp/records" 2>"$tmp/err"
status=$?
# 3: the kernel has not what some scenarios need.
[ $status = 0 ] || [ $status = 3 ] || fail "exit status $status: $(tail -n 3 "$tmp/err")"
[ "$(wc -l <"$tmp/records")" -gt 100 ] || fail "$(wc -l <"$tmp/records") records are no whole catalogue"
"$program" "$@" <"$tmp/records" || fail "too many false expectations hold, or records do not pass"
finish
