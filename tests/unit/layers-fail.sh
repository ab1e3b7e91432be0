#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# layers-fail.sh LAYERS-TEST CC...: the test of layers passes a small tree that is as its table says, and
# finds each kind of fault that is put into such a tree.
set -u
layers=$1
shift
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
cd "$tree" || exit 1
failed=0

# Two layers, `low` and `high`; `high` may use `low`.
make_tree() {
	rm -rf src build
	mkdir -p src/low src/high build/src/low/liblow.a.p build/src/high/libhigh.a.p
	# shellcheck disable=SC2016 # These are Markdown's.
	printf '%s\n' '| folder | what is in it | may use |' '|---|---|---|' '| `src/low` | numbers | - |' \
		'| `src/high` | `more` than numbers | `src/low` |' >HACKING.md
	echo 'int low_one(void);' >src/low/one.h
	echo 'int low_two(void);' >src/low/two.h
	echo 'int high(void);' >src/high/high.h
	printf '%s\n' '#include "src/low/one.h"' 'int low_one(void) { return 1; }' >src/low/one.c
	printf '%s\n' '#include "src/low/two.h"' '#include "src/low/one.h"' \
		'int low_two(void) { return low_one() + 1; }' >src/low/two.c
	printf '%s\n' '#include "src/high/high.h"' '#include "src/low/two.h"' \
		'int high(void) { return low_two() + 1; }' >src/high/high.c
}

# check WHAT STATUS TEXT NOT CC...: builds the tree with CC; the test of layers exits with STATUS, prints the
# line TEXT (a pattern of grep -E, but for blanks around it), and none that has NOT, unless that is empty.
check() {
	what=$1 wanted=$2 text=$3 absent=$4
	shift 4
	for file in src/*/*.c; do
		folder=${file%/*}
		"$@" -I. -c "$file" -o "build/$folder/lib${folder#src/}.a.p/${file##*/}.o" || exit 1
	done
	sh "$layers" . build >output 2>&1
	status=$?
	[ $status = "$wanted" ] && sed 's/^ *//' output | grep -qxE -e "$text" &&
		! { [ -n "$absent" ] && grep -qF -e "$absent" output; } && return
	echo "FAIL: $what: exit status $status, not $wanted, or no line '$text', or '$absent' in:"
	cat output
	failed=1
}

# prints TEXT: another line, a pattern of grep -E as well, that the last check must have printed.
prints() {
	sed 's/^ *//' output | grep -qxE -e "$1" && return
	echo "FAIL: $what: no line '$1' in:"
	cat output
	failed=1
}

upward='but src/low may not use src/high; move the code .*, name src/high in the row of src/low \(HACKING.md:3\)'

make_tree
check 'a tree without a fault' 0 '.* nothing is wrong' '' "$@"

make_tree
echo '#include "src/high/high.h"' >>src/low/one.h
check 'an include upward' 1 "src/low/one.h:2: includes \"src/high/high.h\", $upward" '' "$@"

make_tree
# shellcheck disable=SC2016 # These are Markdown's.
sed '4s|`src/low`|`src/low/two.h`|' HACKING.md >changed
mv changed HACKING.md
echo '#include "src/low/one.h"' >>src/high/high.h
check 'an include of a header beside one that is allowed' 1 'src/high/high.h:2: includes "src/low/one.h", '\
'but src/high may not use src/low, except for src/low/two.h; .*\(HACKING.md:4\)' '' "$@"

make_tree
echo '#include "two.h"' >>src/low/one.c
echo 'int low_two(void);' >two.h
check 'an include without a folder' 1 'src/low/one.c:3: "two.h" names no folder: .* "src/low/two.h"' 'may not use' "$@"
rm two.h

make_tree
printf '%s\n' '#if 0' '#include "src/low/gone.h"' '#endif' >>src/low/one.h
check 'an include of nothing' 1 'src/low/one.h:3: "src/low/gone.h" is no file of the tree: .*' '' "$@"

make_tree
printf '%s\n' '#pragma once' '#include "src/low/two.h"' >>src/low/one.h
printf '%s\n' '#pragma once' '#include "src/low/one.h"' >>src/low/two.h
check 'headers that include each other' 1 'src/low/one.h -> src/low/two.h -> src/low/one.h' \
	'src/low/two.h -> src/low/one.h -> src/low/two.h' "$@"
prints 'src/low/one.h:3: includes "src/low/two.h"'
prints 'src/low/two.h:3: includes "src/low/one.h"'
prints '-> take one of these includes away: .*'

make_tree
printf '%s\n' '/* high() stands in a comment,' ' * high() as well. */' 'int high(void);' 'int low_three(void);' \
	'int low_three(void)' '{' '	const char *text = "high()";' '' '	return text ? high() : 0;' '}' >src/low/three.c
check 'a call upward' 1 "src/low/three.c:9: low_three\\(\\) calls high\\(\\) of src/high/high.c, $upward" 'three.c:7' "$@"

make_tree
printf '%s\n' 'int high(void);' 'int (*low_table[])(void);' 'int (*low_table[])(void) = {' '	high,' '};' >src/low/three.c
check 'a table that names a function upward' 1 "src/low/three.c:4: low_table uses high of src/high/high.c, $upward" '' "$@"

make_tree
printf '%s\n' '#define PASTE(a, b) a##b' 'int PASTE(hi, gh)(void);' 'int low_three(void);' \
	'int low_three(void) { return PASTE(hi, gh)(); }' >src/low/three.c
check 'a call upward that no line shows' 1 "src/low/three.c: uses high of src/high/high.c by a macro or an inline \
function \\(grep -rnw high src netns finds it, .*\\), $upward" '' "$@"

make_tree
printf '%s\n' 'int low_two(void);' 'int low_four(void);' 'int low_four(void) { return low_two(); }' >>src/low/one.c
check 'files that call each other' 1 'src/low/one.c -> src/low/two.c -> src/low/one.c' \
	'src/low/two.c -> src/low/one.c -> src/low/two.c' "$@"
prints 'src/low/one.c:5: low_four\(\) calls low_two\(\) of src/low/two.c'
prints 'src/low/two.c:3: low_two\(\) calls low_one\(\) of src/low/one.c'
prints '-> take one of these steps away: .*'

make_tree
printf '%s\n' 'int high(void);' 'int low_four(void);' 'int low_four(void) { return high(); }' >>src/low/one.c
check 'a call upward that closes a circle' 1 "src/low/one.c:5: low_four\\(\\) calls high\\(\\) of src/high/high.c, $upward" \
	'->' "$@"

make_tree
mkdir src/new
echo 'int new(void);' >src/new/new.h
check 'a folder without a row' 1 'src/new is in the tree, and has no row: add a row .*' '' "$@"

make_tree
rm src/high/high.h src/high/high.c
check 'a row without a folder' 1 'HACKING.md:4: src/high is in the table, and not in the tree: .*' '' "$@"

make_tree
# shellcheck disable=SC2016 # These are Markdown's.
sed '3s/ - |$/ `src\/low\/all` |/' HACKING.md >changed
mv changed HACKING.md
check 'a folder that is used and missing' 1 'HACKING.md:3: src/low/all is in the table, and not in the tree: .*' '' "$@"

make_tree
rm -r build/src
check_nothing=$(mkdir -p build/src/low && sh "$layers" . build 2>&1)
[ $? = 2 ] || { echo "FAIL: without objects: $check_nothing"; failed=1; }
exit $failed
