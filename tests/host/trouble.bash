# SPDX-License-Identifier: GPL-2.0-or-later
# What goes wrong around deadpeer is said in one clear line, with the right exit status: a full disk, a
# wrong place, no standard output, few file descriptors, no privilege.
. "$(dirname "$0")/lib.bash"

if [ "${TEST_TROUBLE_INSIDE-}" != 1 ]; then
	need_user_namespaces
	TEST_TROUBLE_INSIDE=1 TEST_ROOTLESS='' "${as[@]}" unshare --user --map-root-user --mount bash "$0" "$@"
	exit
fi

# says WHAT STATUS TEXT: that was the exit status, and standard error is one line with the text.
says() {
	[ "$status" = "$2" ] || fail "$1: exit status $status, expected $2"
	[ "$(wc -l <"$tmp/err")" = 1 ] || fail "$1: not one line on standard error"
	grep -q "^deadpeer: .*$3" "$tmp/err" || fail "$1: no '$3' in: $(cat "$tmp/err")"
}

run() {
	timeout 60 "$DEADPEER" run "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}

mkdir "$tmp/small"
mount -t tmpfs -o size=16k test "$tmp/small"
run linger-zero --quick --pcap "$tmp/small"
says "--pcap, disk full" 3 'No space left'
umount "$tmp/small"

echo >"$tmp/file"
run process-crash --quick --pcap "$tmp/file"
says "--pcap, a file" 2 'Not a directory'
chmod 755 "$tmp/file"
run process-crash --quick --pcap "$tmp/file"
says "--pcap, an executable file" 2 'Not a directory'
run process-crash --quick --pcap "$tmp/no/such"
says "--pcap, nowhere" 2 'No such file'

for json in '' --json; do
	timeout 60 "$DEADPEER" run process-crash --quick $json >/dev/full 2>"$tmp/err"
	status=$?
	[ $status != 0 ] || fail "standard output full $json: exit status 0"
	says "standard output full $json" $status 'standard output: No space left'
	timeout 60 "$DEADPEER" run process-crash --quick $json >&- 2>"$tmp/err"
	status=$?
	[ $status != 0 ] || fail "standard output closed $json: exit status 0"
	says "standard output closed $json" $status 'standard output: '
done
timeout 60 "$DEADPEER" run process-crash --quick --json <&- >"$tmp/out.json" 2>&- ||
	fail "standard input and error closed: exit status $?"
json out 'length == 1 and .[0].verdict == "pass"'
# A reader takes the first line and closes the pipe.
timeout 60 "$DEADPEER" run process-crash --quick --json --repeat 5 2>"$tmp/err" | head -n 1 >"$tmp/out"
[ "$(wc -l <"$tmp/out")" = 1 ] || fail "a reader who leaves: nothing came"

(ulimit -n 64 && run process-crash --quick --json --repeat 4 && exit $status)
status=$?
mv "$tmp/out" "$tmp/few.json"
if [ $status = 0 ]; then
	json few 'length == 4 and all(.verdict == "pass")'
else
	says "64 file descriptors" 3 'file'
fi
(ulimit -n 16 && run process-crash --quick && exit $status)
status=$?
says "16 file descriptors" 3 'file'

# The caller is root of a user namespace but has no capabilities, and no other user namespace may be made.
echo 0 >/proc/sys/user/max_user_namespaces
timeout 60 setpriv --bounding-set=-all "$DEADPEER" run process-crash --quick >"$tmp/out" 2>"$tmp/err"
status=$?
says "no user namespaces" 3 'user.max_user_namespaces'
finish
