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
# What is wrong is printed with its line and with what helps against it, and the exit status is 1. The exit
# status 2 says that there is nothing to check.
set -u
export LC_ALL=C
[ $# = 2 ] || { echo "usage: layers.sh TREE BUILD" >&2; exit 2; }
build=$(cd "$2" && pwd) || exit 2
cd "$1" || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# The build makes these headers, so they lie in no folder of the tree and are included by name alone.
generated='observer.skel.h qemu-turns.inc'

# wrong WHAT: prints standard input below WHAT and fails the test, if there is any input. The failure is
# noted in a file, because the function runs at the end of pipes, where a variable would be lost.
wrong() {
	sed 's/^/  /' >"$work/wrong"
	[ -s "$work/wrong" ] || return
	echo "$1"
	cat "$work/wrong"
	: >"$work/failed"
}

# Each row of the table as "layer FOLDER LINE" and "may FOLDER USED" lines. "all above" stands for the folders
# of all rows above.
awk -F '|' '
	/^\| folder \|/ { table = 1 }
	!/^\|/ { table = 0 }
	table && /^\| `[a-z\/]+` \|/ {
		folder = $2
		gsub(/[ `]/, "", folder)
		print "layer", folder, NR
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

awk '
	NR == FNR && $1 == "layer" { row[$2] = $3; named[$2] = $2 }
	NR == FNR && $1 == "may" { named[$3] = $2 }
	NR == FNR { next }
	{ folder = $0; sub(/\/[^\/]*$/, "", folder); in_tree[folder] = in_tree[$0] = 1 }
	END {
		for (folder in in_tree)
			if (folder !~ /\./ && !(folder in row))
				print folder " is in the tree, and has no row: add a row for the folder, below the " \
					"rows of the folders that it uses"
		for (path in named) {
			place = "HACKING.md:" row[named[path]] ": "
			if (!(path in in_tree))
				print place path " is in the table, and not in the tree: correct or remove the name"
			else if (path !~ /\./ && !(path in row))
				print place path " may be used, and has no row: add a row for the folder"
		}
	}' "$work/table" - <<END | sort | wrong "The table of folders in HACKING.md is not the tree's:"
$sources
END

# FILE INCLUDED LINE, for each include of a file in quotes.
# shellcheck disable=SC2086 # Names of sources have no blanks.
grep -nHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' $sources |
	sed -E 's/^([^:]*):([0-9]+):[^"]*"([^"]*)".*/\1 \3 \2/' |
	awk -v generated="$generated" '
		BEGIN { for (n = split(generated, list, " "); n; n--) skip[list[n]] }
		!($2 in skip)' >"$work/includes"
while read -r file included line; do
	case $included in
	*/*) [ -f "$included" ] || echo "$file:$line: \"$included\" is no file of the tree: correct the path, which" \
		"begins at the root of the tree" ;;
	*)
		found=$(echo "$sources" | grep "/$included\$" | head -n 1)
		echo "$file:$line: \"$included\" names no folder: write the path from the root of the tree," \
			"\"${found:-FOLDER/$included}\""
		;;
	esac
done <"$work/includes" | wrong "Includes without a folder:"

# select_edges yes|no FILE: the lines "FILE USED WHY" whose file may use the other by the table, or may not.
select_edges() {
	awk -v wanted="$1" '
		function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
		function module(path) { sub(/\.[ch]$/, "", path); return path }
		NR == FNR { if ($1 == "may") may[$2, module($3)]; next }
		{
			allowed = folder($1) == folder($2) || (folder($1), folder($2)) in may ||
				(folder($1), module($2)) in may
		}
		allowed == (wanted == "yes")' "$work/table" "$2"
}

# tell_includes: of each line "FILE INCLUDED LINE" makes "FILE USED TEXT", with tabs between the three.
tell_includes() {
	awk '{ printf "%s\t%s\t%s:%d: includes \"%s\"\n", $1, $2, $1, $3, $2 }'
}

# tell_uses: of each line "FILE USED SYMBOL" makes lines "FILE USED TEXT", with tabs between the three, one
# for each line of FILE that has the symbol in code. A line that begins at the left margin begins a
# function, a variable or a macro, and what is indented below it is its body.
tell_uses() {
	awk '
		function tell(place, owner, what, hint) {
			printf "%s\t%s\t%s: %s%s of %s%s\n", $1, $2, place, owner (owner == "" ? "" : " "), what, $2, hint
		}
		{
			symbol = "(^|[^A-Za-z0-9_])" $3
			number = found = comment = 0
			owner = ""
			while ((getline text <$1) > 0) {
				number++
				gsub(/\047\\?.\047|"([^"\\]|\\.)*"/, "0", text)
				if (comment && !sub(/^.*\*\//, "", text))
					continue
				gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", text)
				comment = sub(/\/\*.*/, "", text)
				sub(/\/\/.*/, "", text)
				if (text ~ /^(}|#[ \t]*define[ \t]|[A-Za-z_][^:]*$)/) {
					owner = text
					sub(/^#[ \t]*define[ \t]+/, "", owner)
					gsub(/__attribute__ *\(\(.*\)\)/, "", owner)
					if (text ~ /^#/)
						sub(/[^A-Za-z0-9_].*/, "", owner)
					else
						sub(/ *[={].*/, "", owner)
					called = !sub(/^[^(]*\(\*/, "", owner) && sub(/\(.*/, "", owner)
					gsub(/\[.*|[^A-Za-z0-9_]+$/, "", owner)
					sub(/.*[^A-Za-z0-9_]/, "", owner)
					if (called)
						owner = owner "()"
					# What stands before the body only declares.
					if (text ~ /^#/)
						sub(/^#[ \t]*define[ \t]+[A-Za-z0-9_]+/, "", text)
					else if (!sub(/^[^={]*[={]/, "", text))
						continue
				}
				if (text !~ symbol "([^A-Za-z0-9_]|$)")
					continue
				tell($1 ":" number, owner, text ~ symbol "[ \t]*\\(" ? "calls " $3 "()" : "uses " $3)
				found = 1
			}
			close($1)
			if (!found)
				tell($1, "", "uses " $3, " by a macro or an inline function (grep -rnw " $3 " src netns finds it," \
					" unless the build is older than the source)")
		}'
}

# remedy: of each line "FILE USED TEXT", with tabs between the three, makes a message that says which row of
# the table forbids the use, and what helps.
remedy() {
	awk -F '\t' '
		function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
		NR == FNR {
			split($0, word, " ")
			if (word[1] == "layer")
				row[word[2]] = "HACKING.md:" word[3]
			else if (word[3] ~ /\./)
				only[word[2], folder(word[3])] = only[word[2], folder(word[3])] " " word[3]
			next
		}
		{
			user = folder($1)
			used = folder($2)
			exception = (user, used) in only ? ", except for" only[user, used] : ""
			print $3 ", but " user " may not use " used exception "; move the code to a folder that may, or " \
				"have the caller hand it in (as a value or a callback), or, if the layers are to change, " \
				"name " used " in the row of " user " (" row[user] ")"
		}' "$work/table" -
}
grep ' .*/.* ' "$work/includes" >"$work/with-folder"
select_edges no "$work/with-folder" | tell_includes | remedy |
	wrong "Includes that the table of folders does not allow:"

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
select_edges no "$work/uses" | tell_uses | remedy |
	wrong "Uses of symbols that the table of folders does not allow:"

# circles TELL FILE: finds the circles in lines "FROM TO WHY" and prints each as "A -> B -> A" and, below, the
# texts that TELL makes of its lines. The shortest circle comes first. A circle that shares a step with one
# that is printed already is left out, because it may end with that one. Lines that the table does not
# allow are left out too: each is reported by itself, and explains the circles that it closes.
circles() {
	select_edges yes "$2" >"$work/edges"
	awk '
		# Leaves only nodes that some edge leads to, and that some edge leads away from.
		function peel(   edge, node, again, in_count, out_count) {
			do {
				split("", in_count)
				split("", out_count)
				for (edge in edges) {
					split(edge, end, " ")
					out_count[end[1]]++
					in_count[end[2]]++
				}
				again = 0
				for (edge in edges) {
					split(edge, end, " ")
					if (!in_count[end[1]] || !out_count[end[2]]) {
						delete edges[edge]
						again = 1
					}
				}
			} while (again)
			split("", to)
			split("", nodes)
			for (edge in edges) {
				split(edge, end, " ")
				to[end[1]] = to[end[1]] " " end[2]
				nodes[end[1]] = 1
			}
		}
		# Returns the shortest way from a node back to itself, as names with blanks between, or "".
		function way_back(start,   queue, head, tail, way, next_nodes, n, i) {
			queue[tail = 1] = start
			way[start] = start
			for (head = 1; head <= tail; head++) {
				n = split(to[queue[head]], next_nodes, " ")
				for (i = 1; i <= n; i++) {
					if (next_nodes[i] == start)
						return way[queue[head]] " " start
					if (next_nodes[i] in way)
						continue
					way[next_nodes[i]] = way[queue[head]] " " next_nodes[i]
					queue[++tail] = next_nodes[i]
				}
			}
			return ""
		}
		{ edges[$1 " " $2] = 1 }
		END {
			for (;;) {
				peel()
				best = ""
				for (node in nodes) {
					way = way_back(node)
					length_of_way = split(way, step, " ")
					if (way == "")
						continue
					if (best == "" || length_of_way < least || (length_of_way == least && way < best)) {
						best = way
						least = length_of_way
					}
				}
				if (best == "")
					break
				print best
				split(best, step, " ")
				for (i = 1; i < least; i++)
					delete edges[step[i] " " step[i + 1]]
			}
		}' "$work/edges" | while read -r circle; do
		echo "$circle" | sed 's/ / -> /g'
		echo "$circle" | awk '
			NR == FNR { for (i = 1; i < NF; i++) place[$i, $(i + 1)] = i; next }
			($1, $2) in place { print place[$1, $2], $0 }' - "$work/edges" |
			sort -s -n -k 1,1 | cut -d ' ' -f 2- | "$1" | cut -f 3 | sed 's/^/  /'
		if [ "$1" = tell_includes ]; then
			echo "  -> take one of these includes away: declare a struct by its name alone, or move what both" \
				"headers need to a third"
		else
			echo "  -> take one of these steps away: move what both files need to a third, or have the caller" \
				"hand it in (as a value or a callback)"
		fi
	done
}
awk '$1 ~ /\.h$/ && $2 ~ /\.h$/' "$work/includes" >"$work/headers"
circles tell_includes "$work/headers" | wrong "Headers that include each other in a circle:"
circles tell_uses "$work/uses" | wrong "Files that use each other in a circle:"
[ ! -e "$work/failed" ] || exit 1
echo "$(wc -l <"$work/includes") includes, $(wc -l <"$work/uses") uses of symbols: nothing is wrong"
