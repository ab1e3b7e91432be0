# SPDX-License-Identifier: GPL-2.0-or-later
# What `new` writes passes `check`, and runs as it is; nothing that is there already is touched, and a name that is
# refused leaves no file.
. "$(dirname "$0")/lib.bash"
cd "$tmp" || exit 1
chmod 777 .

# new WANTED ARGUMENT...: runs `deadpeer new`, which has to exit with that status.
new() {
	local wanted=$1 status
	shift
	"${as[@]}" "$DEADPEER" new "$@" >out 2>err
	status=$?
	[ $status = "$wanted" ] || fail "new $*: exit status $status, not $wanted: $(cat err)"
}

: >out
: >err
chmod 666 out err
new 0 scenario first
new 0 study second
new 0 scenario third
grep -q 'third.yaml is written; next: .*deadpeer run ./third.yaml --quick' out || fail "new does not say what comes next: $(cat out)"
"${as[@]}" "$DEADPEER" check first.yaml second.yaml >out 2>err || fail "check: $(cat err)"
[ ! -s err ] || fail "check: $(cat err)"
cp first.yaml kept
new 2 scenario first
grep -q 'first.yaml: is there already' err || fail "over a file: $(cat err)"
new 2 study first
cmp -s first.yaml kept || fail "new has changed a file that was there"
ln -s nowhere link.yaml
new 2 scenario link
[ ! -e nowhere ] || fail "new has followed a symbolic link"
for name in "" X ../x a/b x.yaml -x . .. 'a b' "$(printf 'a%.0s' {1..65})"; do
	new 2 scenario -- "$name"
	[ "$(wc -l <err)" = 1 ] || fail "new of '$name': not one line: $(cat err)"
done
new 2 scenarios x
grep -q "did you mean 'scenario'" err || fail "a misspelt kind: $(cat err)"
new 2 scenario
new 2
(ulimit -f 0; exec "${as[@]}" "$DEADPEER" new study full) >/dev/null 2>&1 && fail "a full disk is no error"
[ "$(echo ./*.yaml)" = "./first.yaml ./link.yaml ./second.yaml ./third.yaml" ] || fail "left: $(echo ./*.yaml)"

start first ./first.yaml --quick
"${as[@]}" "$DEADPEER" sweep ./second.yaml >swept 2>err
status=$?
# On a busy machine a trial in real time may be inconclusive; expectations, which might fail, the study has none.
[ $status = 0 ] || [ $status = 4 ] || fail "sweep: exit status $status: $(cat err)"
grep -q '8 of 8 trials are in second.db' swept || fail "sweep: $(cat swept)"
await first late
json first 'length == 1 and all(.scenario == "first" and .endpoints.client.outcome == "timed-out")'
finish
