# SPDX-License-Identifier: GPL-2.0-or-later
# The test shows what scripts/bench computes, what it refuses and what it leaves behind. The trees whose figures it
# compares here are small ones of the test's own, whose program deadpeer only prints a number.
. "$(dirname "$0")/../host/lib.bash"
need git meson ninja cc awk tar
bench=$SOURCE/scripts/bench

# refused STATUS WORD COMMAND...: it ends with the status, and says why in one line that has the word.
refused() {
	local status=$1 word=$2 got
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ $got = "$status" ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -qF -- "$word" "$tmp/err" && [ ! -s "$tmp/out" ] ||
		fail "$*: status $got, and says: $(cat "$tmp/err" "$tmp/out")"
}

# row TEXT: the table in $tmp/out has this row, with any spaces between its columns.
row() {
	tr -s ' ' <"$tmp/out" | grep -qxF -- "$1" || fail "no row '$1' in: $(cat "$tmp/out")"
}

"$bench" --help | grep -q '^usage: scripts/bench' || fail "--help"
refused 2 "'nosuch'" "$bench" --against nosuch
refused 2 "'--help^{commit}'" "$bench" --against '--help^{commit}'
refused 2 "'nosuch'" "$bench" --only nosuch.figure
refused 2 "'0'" "$bench" --rounds 0
refused 2 "'x'" "$bench" x
refused 2 "--only takes a value" "$bench" --only
refused 2 "cannot read" "$bench" --table "$tmp/nosuch"
echo nonsense >"$tmp/nonsense"
refused 2 "not what --save writes" "$bench" --table "$tmp/nonsense"
mkdir "$tmp/tools" "$tmp/alone" "$tmp/alone/scripts"
ln -s "$(command -v bash)" "$(command -v dirname)" "$(command -v awk)" "$tmp/tools/"
refused 3 "no git" env PATH="$tmp/tools" bash "$bench"
cp "$bench" "$tmp/alone/scripts/"
refused 2 "not in a git repository" "$tmp/alone/scripts/bench" --against HEAD

# The arithmetic: medians of odd and even numbers of figures, their spreads, and what one side does not have.
printf '%s\t%s\t%s\t%s\n' ref a.b 10 s ref a.b 30 s this a.b 11 s this a.b 10 s this a.b 12 s ref a.b 20 s \
	this a.new 5 MiB ref a.old 1e3 x ref a.even 1 x ref a.even 4 x this a.even 5 x this a.even 5 x >"$tmp/rows"
{ printf '#\tagainst\tHEAD\n' && cat "$tmp/rows"; } >"$tmp/both"
"$bench" --table "$tmp/both" >"$tmp/out" || fail "--table"
row "a.b 20 11 0.550 18.2% 100.0% s"
row "a.new - 5 - 0.0% - MiB"
row "a.old 1000 - - - 0.0% x"
row "a.even 2.5 5 2.000 0.0% 120.0% x"
grep '^this' "$tmp/rows" >"$tmp/one" && "$bench" --table "$tmp/one" >"$tmp/out"
row "a.b 11 18.2% s"

# A tree whose benchmark prints what its deadpeer says, which is 20 in the commit and 10 after it.
tree=$tmp/tree
mkdir -p "$tree/scripts" "$tree/src" "$tree/tests" "$tmp/folder"
cp "$bench" "$tree/scripts/"
cp -r "$SOURCE/tests/bench" "$SOURCE/tests/host" "$tree/tests/"
printf '%s\n' "project('tree')" "subdir('src')" >"$tree/meson.build"
printf '%s\n' "custom_target(input: 'program.sh', output: 'deadpeer', command: ['cp', '@INPUT@', '@OUTPUT@']," \
	"  build_by_default: true)" >"$tree/src/meson.build"
printf '%s\n' '#!/bin/sh' 'echo 20' >"$tree/src/program.sh"
chmod +x "$tree/src/program.sh"
cat >"$tree/tests/bench/store.bash" <<'END'
. "$(dirname "$0")/lib.bash"
figure store.number "$("$DEADPEER")" x "what it says"
[ "$("$DEADPEER")" = 20 ] || figure store.new 1 x "what the older one cannot tell"
[ ! -e "$SOURCE/wait" ] || { sleep 1000 & echo $! >"$SOURCE/waits"; wait; }
finish
END
git() {
	command git -C "$tree" -c user.name=test -c user.email=test@localhost "$@"
}
git init --quiet && git add . && git commit --quiet --message tree || fail "git"
sed -i s/20/10/ "$tree/src/program.sh"
TMPDIR=$tmp/folder "$tree/scripts/bench" --against HEAD --only store --rounds 2 --save "$tmp/saved" >"$tmp/out" \
	2>"$tmp/err" || fail "--against: $(cat "$tmp/err")"
row "store.number 20 10 0.500 0.0% 0.0% x"
row "store.new - 1 - 0.0% - x"
grep -q 'with changes that are not committed' "$tmp/out" || fail "it does not say that the tree has changes"
"$bench" --table "$tmp/saved" | cmp - "$tmp/out" || fail "--save and --table"
[ -z "$(ls "$tmp/folder")" ] || fail "it leaves $(ls "$tmp/folder")"

# Whoever ends it ends the benchmark too.
touch "$tree/wait"
TMPDIR=$tmp/folder "$tree/scripts/bench" --only store >"$tmp/out" 2>"$tmp/err" &
bench_pid=$!
for ((i = 0; i < 300; i++)); do
	[ ! -s "$tree/waits" ] || break
	sleep 0.1
done
kill -TERM $bench_pid
wait $bench_pid
[ $? = 143 ] || fail "ended by SIGTERM, its status is another one"
[ -z "$(ls "$tmp/folder")" ] || fail "ended, it leaves $(ls "$tmp/folder")"
kill -0 "$(cat "$tree/waits")" 2>/dev/null && fail "ended, it leaves a process"
finish
