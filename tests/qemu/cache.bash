# SPDX-License-Identifier: GPL-2.0-or-later
# cache.bash KERNEL: the test shows what is in the cache, that it is pruned, and that nothing is which a run needs:
# a sweep goes on while everything else is removed. The test has a cache of its own, with a copy of a kernel.
. "$(dirname "$0")/../host/lib.bash"
need qemu-system-x86_64 flock jq
series=$1
folder=$("$DEADPEER" kernels list --json | jq -r --arg series "$series" \
	'select(.origin == "fetched" and (.kernel | startswith($series + "."))) | .image | rtrimstr("/vmlinuz")')
[ -d "$folder" ] || skip "no kernel $series: deadpeer kernels fetch $series"
release=${folder##*/}
export XDG_CACHE_HOME=$tmp/cache
cache=$tmp/cache/deadpeer
mkdir -p "$cache/kernels"
cp -r "$folder" "$cache/kernels"
cd "$tmp" || exit 1

says() { # says WHAT STATUS TEXT...: fails unless the error is one line with each TEXT
	local what=$1 text
	[ "$status" = "$2" ] || fail "$what: exit status $status, not $2: $(cat err)"
	[ "$(wc -l <err)" = 1 ] || fail "$what: not one line: $(cat err)"
	for text in "${@:3}"; do
		grep -qF -- "$text" err || fail "$what: no '$text' in: $(cat err)"
	done
}

refuses() { # refuses WHAT TEXT...: `cache list` and a run both end with 3 and one line
	local what=$1
	"${by[@]}" "$DEADPEER" cache >out 2>err
	status=$?
	says "list with $what" 3 "${@:2}"
	"${by[@]}" "$DEADPEER" run process-crash --engine qemu --kernel "$folder/vmlinuz" --modules "$folder/modules" >out 2>err
	status=$?
	says "a run with $what" 3 "${@:2}"
}
by=()

kinds() { # prints the kinds of the entries for which jq's CONDITION holds
	"$DEADPEER" cache list --json | jq -r "select($1) | .kind" | sort -u | tr '\n' ' '
}

# A sweep, whose trials have to pass, goes on whatever is pruned meanwhile.
cat >pruned.yaml <<END
name: pruned
summary: A sweep while the cache is pruned
engine: qemu
kernels: ['$release']
scenarios: [process-crash, power-loss-idle]
repeats: 2
END
mkdir "$cache/images"
head -c 100000 /dev/zero | tee "$cache/images/idle.cpio" >"$cache/images/idle.cpio.stamp"
"$DEADPEER" sweep pruned.yaml --db pruned.db >out 2>err &
sweep=$!
until [ "$(kinds .in_use)" ] || ! kill -0 $sweep 2>/dev/null; do sleep 0.1; done
prunes=0
in_use=
while kill -0 $sweep 2>/dev/null; do
	"$DEADPEER" cache prune --to 0 >>pruned 2>>stayed || fail "prune while a sweep runs"
	prunes=$((prunes + 1))
	in_use+=$(kinds .in_use)
	sleep 0.4
done
wait $sweep || fail "a sweep whose cache is pruned: $(cat err)"
[ $prunes -ge 5 ] || fail "the sweep was over after $prunes prunes"
grep -q '^image .* idle.cpio' pruned || fail 'what nobody uses was not pruned'
for kind in kernel image snapshot; do
	[[ $in_use == *$kind* ]] || fail "no $kind was in use: $in_use"
	grep -qE "^$kind .* stays: it is in use" stayed || fail "prune does not say that a $kind stays"
done
[ -e "$cache/kernels/$release" ] || cp -r "$folder" "$cache/kernels"

# What is there is told, with its last use, which does not depend on the disk's times of access.
"$DEADPEER" run process-crash --engine qemu --kernel "$release" >out 2>err || fail "run: $(cat err)"
[ "$(kinds true)" = 'image kernel snapshot ' ] || fail "list: $(kinds true)"
[ -z "$(kinds .in_use)" ] || fail "in use after the end: $(kinds .in_use)"
compgen -G "$cache/*/*.lock" && fail 'locks are left'
before=$("$DEADPEER" cache list --json | jq -r .name | sort)
find "$cache" \( -name '*.stamp' -o -name stamp -o -name manifest \) -exec touch -d '2 days ago' {} +
[ "$(kinds '.used > (now - 86400 | todate)')" = '' ] || fail 'the time of last use'
"$DEADPEER" run process-crash --engine qemu --kernel "$release" >out 2>err || fail "run again: $(cat err)"
[ "$(kinds '.used > (now - 86400 | todate)')" = 'image kernel snapshot ' ] || fail "used again: $("$DEADPEER" cache)"
[ "$before" = "$("$DEADPEER" cache list --json | jq -r .name | sort)" ] || fail 'what was used again was made again'

# What a killed run has left goes at once, and what a live one is making stays.
mkdir "$cache/snapshots/"{dead,live}.1-1.tmp
: >"$cache/images/dead.cpio.lock"
exec 9>"$cache/snapshots/live.lock"
flock 9
"$DEADPEER" cache list >out
grep -q '^temporary .* live.1-1.tmp' out || fail "a temporary file that is being made: $(cat out)"
[ -e "$cache/snapshots/dead.1-1.tmp" ] && fail 'a temporary folder of a killed run stays'
[ -e "$cache/images/dead.cpio.lock" ] && fail 'a lock of a killed run stays'
exec 9>&-
"$DEADPEER" cache prune >out
compgen -G "$cache/snapshots/*.tmp" && fail 'the temporary folder stays'

# Who waits says so within a second.
image=$(compgen -G "$cache/images/*.vmlinux")
rm "$image"
exec 9>"$image.lock"
flock 9
"$DEADPEER" run process-crash --engine qemu --kernel "$release" >out 2>err 9>&- &
waiting=$!
for _ in {1..300}; do
	grep -q waiting err && break
	sleep 0.1
done
grep -qF "waiting for another deadpeer, which is making $image" err || fail "a wait is not told: $(cat err)"
exec 9>&-
wait $waiting || fail "a run that waited: $(cat err)"

# 4 GiB are the bound; what was used last stays, and so do kernels.
for name in first second; do
	fallocate -l 3G "$cache/images/$name.cpio" 2>/dev/null && : >"$cache/images/$name.cpio.stamp"
done
if [ -e "$cache/images/second.cpio.stamp" ]; then
	touch -d '3 days ago' "$cache/images/first.cpio.stamp" "$cache/kernels/$release/manifest"
	touch -d '4 days ago' "$cache/images/second.cpio.stamp"
	"$DEADPEER" cache prune >out
	[ "$(awk '{ print $NF }' out | head -n 1)" = second.cpio ] || fail "prune to the default: $(cat out)"
	fallocate -l 3G "$cache/images/second.cpio" && : >"$cache/images/second.cpio.stamp"
	rm "$image"
	"$DEADPEER" run process-crash --engine qemu --kernel "$release" >out 2>err || fail "run: $(cat err)"
	[ -e "$cache/images/first.cpio" ] && fail 'a run does not keep the cache to its bound'
	[ -e "$cache/images/second.cpio" ] || fail 'a run drops more than it has to'
fi
rm -f "$cache"/images/{first,second}.cpio*
touch -d '3 days ago' "$cache/kernels/$release/manifest"
"$DEADPEER" cache prune --older 2d >out
[ "$(kinds true)" = 'image snapshot ' ] || fail "prune --older: $("$DEADPEER" cache)"
"$DEADPEER" cache prune --to 0 --json | jq -e -s 'all(.kind == "image" or .kind == "snapshot") and length > 1' >out ||
	fail 'prune --json'
[ -z "$(find "$cache" -type f)" ] || fail "prune --to 0 leaves $(find "$cache" -type f)"
for wrong in "list --to 1GiB" "prune --to much" "prune --older 3" "frobnicate"; do
	# shellcheck disable=SC2086 # words
	"$DEADPEER" cache $wrong >out 2>err
	status=$?
	says "$wrong" 2
done

# A cache that is not the user's own is refused, and nothing is made there.
mkdir elsewhere
rm -rf "$cache"
ln -s ../elsewhere "$cache"
refuses 'a link' "$cache is a symbolic link" XDG_CACHE_HOME
rm "$cache"
mkdir "$cache"
ln -s ../../elsewhere "$cache/images"
refuses 'a link inside' "$cache/images is a symbolic link"
rm "$cache/images"
: >"$cache/images"
refuses 'a file' "$cache/images is in the cache's way"
[ -z "$(ls elsewhere)" ] || fail 'something was made behind a link'
rm -rf "$cache"
if [ "$(id -u)" = 0 ]; then
	mkdir "$cache"
	chown nobody "$cache"
	refuses "another user's cache" "$cache is the cache of user $(id -u nobody), and you are user 0"
	chmod 755 "$tmp"
	chown root "$cache"
	by=(setpriv --reuid nobody --clear-groups --inh-caps=-all --)
	if "${by[@]}" test -x "$DEADPEER" && "${by[@]}" test -r "$folder/vmlinuz"; then
		refuses "root's cache" "$cache is the cache of user 0, and you are user $(id -u nobody)"
		chown nobody "$cache"
		chmod 500 "$cache"
		refuses 'a cache that may not be written' "$cache" 'Permission denied' XDG_CACHE_HOME
	fi
fi
finish
