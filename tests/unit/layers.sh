#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# layers.sh TREE BUILD: the tree is as the table of folders in TREE/HACKING.md has it. Each row of the
# table is a layer: its folder, what is in it, and which folders (or single headers) it may use.
#
#  - Each include of a file in quotes names the file's folder, and the table allows that folder.
#  - No header includes itself by way of others.
#  - No call, and no other use of a symbol, goes to a folder that the table does not allow. The objects
#    in BUILD say who uses what, so a function that is declared by hand is found as well.
#  - No file uses a symbol of another file that in turn, by whatever way, uses one of the first file.
#
# What is wrong is printed line by line, and the exit status is 1. 2 says that there is nothing to check.
set -u
export LC_ALL=C
[ $# = 2 ] || { echo "usage: layers.sh TREE BUILD" >&2; exit 2; }
build=$(cd "$2" && pwd) || exit 2
cd "$1" || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# The build makes these headers, so they lie in no folder of the tree and are included by name alone.
generated='observer.skel.h qemu-turns.inc'

# wrong WHAT: prints standard input below WHAT and fails the test, if there is any input.
wrong() {
	sed 's/^/  /' >"$work/wrong"
	[ -s "$work/wrong" ] || return
	echo "$1"
	cat "$work/wrong"
	: >"$work/failed" # A variable would be lost: it runs at the end of pipes.
}

# Each row of the table as "layer FOLDER" and "may FOLDER USED" lines. "all above" stands for the folders
# of all rows above.
awk -F '|' '
	/^\| folder \|/ { table = 1 }
	!/^\|/ { table = 0 }
	table && /^\| `[a-z\/]+` \|/ {
		folder = $2
		gsub(/[ `]/, "", folder)
		print "layer", folder
		if ($4 ~ /all above/)
			for (i = 1; i <= rows; i++)
				print "may", folder, above[i]
		else
			for (n = split($4, used, "`"); n > 1; n -= 2)
				print "may", folder, used[n - 1]
		above[++rows] = folder
	}' HACKING.md >"$work/table"
grep -q '^layer' "$work/table" || { echo "HACKING.md: there is no table of folders" >&2; exit 2; }

sources=$(find src netns -name '*.[ch]' 2>/dev/null | sort)
objects=$(find "$build/src" "$build/netns" -path '*.p/*.o' ! -path '*.so.p/*' 2>/dev/null | sort)
if [ -z "$sources" ] || [ -z "$objects" ]; then
	echo "there are no sources, or no objects" >&2
	exit 2
fi

{
	sed -nE 's/^layer (.*)/\1/p; s/^may [^ ]+ (.*)/\1/p' "$work/table" | sort -u | while read -r path; do
		[ -e "$path" ] || echo "$path is in the table, and not in the tree"
	done
	echo "$sources" | sed 's|/[^/]*$||' | sort -u | while read -r folder; do
		grep -qx "layer $folder" "$work/table" || echo "$folder is in the tree, and has no row"
	done
	sed -nE 's/^may [^ ]+ ([^.]*)$/\1/p' "$work/table" | sort -u | while read -r folder; do
		grep -qx "layer $folder" "$work/table" || echo "$folder may be used, and has no row"
	done
} | wrong "The table of folders in HACKING.md is not the tree's:"

# FILE INCLUDED, for each include of a file in quotes.
# shellcheck disable=SC2086 # Names of sources have no blanks.
grep -HE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' $sources | sed -E 's/:[^"]*"([^"]*)".*/ \1/' |
	awk -v generated="$generated" '
		BEGIN { for (n = split(generated, list, " "); n; n--) skip[list[n]] }
		!($2 in skip)' >"$work/includes"
while read -r file included; do
	case $included in
	*/*) [ -f "$included" ] || echo "$file: \"$included\" is no file of the tree" ;;
	*) echo "$file: \"$included\" names no folder" ;;
	esac
done <"$work/includes" | wrong "Includes without a folder:"

# FILE USED WHY: the lines whose file may not use the other, by the table.
not_allowed() {
	awk '
		function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
		function module(path) { sub(/\.[ch]$/, "", path); return path }
		NR == FNR { if ($1 == "may") may[$2, module($3)]; next }
		folder($1) != folder($2) && !((folder($1), folder($2)) in may) && !((folder($1), module($2)) in may)
		' "$work/table" "$1"
}
not_allowed "$work/includes" | wrong "Includes that the table of folders does not allow:"

# FILE USED SYMBOL, for each symbol that an object does not define itself. An object is called after
# its source: FOLDER/LIBRARY.p/FILE.c.o, or FOLDER/PROGRAM.p/SUBFOLDER_FILE.c.o.
# shellcheck disable=SC2086
nm -gA $objects | sed -nE "s|^$build/||; s|^(.*)/[^/]*\.p/([^:]*)\.o:[^ ]* +([A-Za-z]) ([^ @]+).*|\1/\2 \3 \4|p" |
	awk '
		function exists(path,   line) {
			if (!(path in known)) {
				known[path] = (getline line <path) >= 0
				close(path)
			}
			return known[path]
		}
		{
			file = $1
			if (!exists(file)) {
				name = file
				sub(/.*\//, "", name)
				sub(/[^\/]*$/, "", file)
				sub(/_/, "/", name)
				file = file name
			}
			if (!exists(file))
				next
			if ($2 ~ /[Uvw]/)
				uses[++n] = file " " $3
			else
				defined[$3] = file
		}
		END {
			for (i = 1; i <= n; i++) {
				split(uses[i], use, " ")
				if (use[2] in defined && defined[use[2]] != use[1])
					print use[1], defined[use[2]], use[2]
			}
		}' | sort -u >"$work/uses"
[ -s "$work/uses" ] || { echo "no object uses another" >&2; exit 2; }
not_allowed "$work/uses" | wrong "Uses of symbols that the table of folders does not allow:"

# circles FILE: of lines "FROM TO [WHY]" those that are part of a circle, each circle with a heading. Two
# are in one circle if each is reached from the other.
circles() {
	awk '
		# Tarjan: gives all nodes of a circle the same number, in circle[].
		function visit(node,   i, n, next_nodes, next_node) {
			order[node] = low[node] = ++visited
			stack[++depth] = node
			waiting[node] = 1
			n = split(to[node], next_nodes, " ")
			for (i = 1; i <= n; i++) {
				next_node = next_nodes[i]
				if (!(next_node in order)) {
					visit(next_node)
					if (low[next_node] < low[node])
						low[node] = low[next_node]
				} else if (waiting[next_node] && order[next_node] < low[node]) {
					low[node] = order[next_node]
				}
			}
			if (low[node] != order[node])
				return
			circles++
			do {
				next_node = stack[depth--]
				waiting[next_node] = 0
				circle[next_node] = circles
				size[circles]++
			} while (next_node != node)
		}
		{
			line[NR] = $0
			from[NR] = $1
			end[NR] = $2
			to[$1] = to[$1] " " $2
		}
		END {
			for (i = 1; i <= NR; i++)
				if (!(from[i] in order))
					visit(from[i])
			for (c = 1; c <= circles; c++) {
				said = 0
				for (i = 1; i <= NR; i++)
					if (circle[from[i]] == c && circle[end[i]] == c) {
						if (!said++)
							print "a circle of " size[c] ":"
						print "  " line[i]
					}
			}
		}' "$1"
}
awk '$1 ~ /\.h$/ && $2 ~ /\.h$/' "$work/includes" >"$work/headers"
circles "$work/headers" | wrong "Headers that include each other:"
circles "$work/uses" | wrong "Files that use each other:"
[ ! -e "$work/failed" ] || exit 1
echo "$(wc -l <"$work/includes") includes, $(wc -l <"$work/uses") uses of symbols: nothing is wrong"
