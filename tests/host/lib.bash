# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the end-to-end tests, which run deadpeer as a user would. Meson sets DEADPEER, the path of the program,
# SOURCE, the path of the tree, and TEST_ROOTLESS=1 if the program is to run without any privilege. A test goes on
# after a failed check, and says at its end how many checks failed.
set -u
. "$(dirname "${BASH_SOURCE[0]}")/flakes.bash"
: "${DEADPEER:?}" "${SOURCE:?}"
failed=0

# skip REASON: ends the test as skipped, or as failed if all tests must run.
skip() {
	echo "not possible here: $*" >&2
	[ "${TESTS_MUST_RUN-}" = 1 ] && exit 1
	exit 77
}

need() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || skip "no $tool; scripts/setup installs it"
	done
}

need_root() {
	[ "$(id -u)" = 0 ] || skip "this test needs root"
}

need_user_namespaces() {
	"${as[@]}" unshare --user --map-root-user --net true 2>/dev/null ||
		skip "no user namespaces for ordinary users"
}

fail() {
	echo "FAIL: $*"
	failed=$((failed + 1))
}

finish() {
	echo "$failed checks failed"
	exit $((failed != 0))
}

# json NAME CONDITION: jq's CONDITION holds for the list of records in $tmp/NAME.json.
json() {
	jq -es "$2" "$tmp/$1.json" >"$tmp/jq" 2>&1 && return
	fail "$1: not so: $2"
	cat "$tmp/jq" "$tmp/$1.err" 2>/dev/null | head -n 20
	jq -c 'select(.verdict != "pass") | .variant, .family, .inconclusive' "$tmp/$1.json" | head -c 4000
	jq -c '.failures, (.endpoints[] | {mechanism, retransmissions})' "$tmp/$1.json" | head -c 4000
}

# start NAME ARGUMENT...: `deadpeer run ARGUMENT... --json` runs in the background and writes $tmp/NAME.json.
declare -A started=() started_with=()
start() {
	local name=$1
	shift
	printf -v "started_with[$name]" '%q ' "$@"
	"${as[@]}" "$DEADPEER" run "$@" --json >"$tmp/$name.json" 2>"$tmp/$name.err" &
	started[$name]=$!
}

# await NAME [CAUSE...]: waits until the run NAME ends, which must be with status 0. If the records show one of
# the known CAUSEs (flakes.bash), by default late, the run is repeated.
await() {
	local status turn causes=("${@:2}")
	[ $# -gt 1 ] || causes=(late)
	for turn in 1 2 3; do
		wait "${started[$1]}"
		status=$?
		[[ $status = [14] ]] && [ $turn -lt 3 ] && flake "$tmp/$1.json" "${causes[@]}" || break
		eval "start $1 ${started_with[$1]}"
	done
	[ $status = 0 ] || fail "$1: exit status $status: $(head -n 5 "$tmp/$1.err")"
}

# ${as[@]} precedes the command deadpeer. In a test for ordinary users it makes deadpeer run as one.
as=(env)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
if [ "${TEST_ROOTLESS-}" = 1 ] && [ "$(id -u)" = 0 ]; then
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	chmod 755 "$tmp"
fi
if [ "${TEST_ROOTLESS-}" = 1 ] || [ "$(id -u)" != 0 ]; then
	need_user_namespaces
fi
need jq
