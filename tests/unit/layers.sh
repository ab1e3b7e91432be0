#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# layers.sh TREE: an include goes down, never up. A folder may include what stands beside it here.
cd "$1" || exit 1
status=0

# only FOLDER ALLOWED: of the files in FOLDER itself, as an extended regular expression.
only() {
	for file in "$1"/*.[ch]; do
		wrong=$(grep -nE '^#[[:space:]]*include[[:space:]]+"' "$file" | grep -vE "\"($2)")
		[ -z "$wrong" ] && continue
		echo "$file: not allowed for $1: $wrong"
		status=1
	done
}

only src/util 'src/util/'
only netns 'netns/|src/util/'
only src/bpf 'src/bpf/'
# A generated header has no folder.
only src 'src/|netns/|observer\.skel\.h"'
exit $status
