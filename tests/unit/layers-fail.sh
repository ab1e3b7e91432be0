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

# check WHAT STATUS [TEXT]: builds the tree; the test of layers exits with STATUS and prints TEXT.
check() {
	what=$1 wanted=$2 text=${3-}
	shift 3
	for file in src/*/*.c; do
		folder=${file%/*}
		"$@" -I. -c "$file" -o "build/$folder/lib${folder#src/}.a.p/${file##*/}.o" || exit 1
	done
	sh "$layers" . build >output 2>&1
	status=$?
	[ $status = "$wanted" ] && grep -qF -e "$text" output && return
	echo "FAIL: $what: exit status $status, not $wanted, or no '$text' in:"
	cat output
	failed=1
}

make_tree
check 'a tree without a fault' 0 'nothing is wrong' "$@"

make_tree
echo '#include "src/high/high.h"' >>src/low/one.h
check 'an include upward' 1 'src/low/one.h src/high/high.h' "$@"

make_tree
echo '#include "two.h"' >>src/low/one.c
echo 'int low_two(void);' >two.h
check 'an include without a folder' 1 'src/low/one.c: "two.h" names no folder' "$@"
rm two.h

make_tree
printf '%s\n' '#pragma once' '#include "src/low/two.h"' >>src/low/one.h
printf '%s\n' '#pragma once' '#include "src/low/one.h"' >>src/low/two.h
check 'headers that include each other' 1 'src/low/two.h src/low/one.h' "$@"

make_tree
printf '%s\n' 'int high(void);' 'int low_three(void);' 'int low_three(void) { return high(); }' >src/low/three.c
check 'a call upward' 1 'src/low/three.c src/high/high.c high' "$@"

make_tree
printf '%s\n' 'int low_two(void);' 'int low_four(void);' 'int low_four(void) { return low_two(); }' >>src/low/one.c
check 'files that call each other' 1 'src/low/one.c src/low/two.c low_two' "$@"

make_tree
mkdir src/new
echo 'int new(void);' >src/new/new.h
check 'a folder without a row' 1 'src/new is in the tree, and has no row' "$@"

make_tree
rm -r build/src
check_nothing=$(mkdir -p build/src/low && sh "$layers" . build 2>&1)
[ $? = 2 ] || { echo "FAIL: without objects: $check_nothing"; failed=1; }
exit $failed
