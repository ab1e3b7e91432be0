#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# layers.sh TREE: an include goes down, never up. A folder may include what stands beside it here.
cd "$1" || exit 1
status=0

# only FOLDER ALLOWED: of the files in FOLDER itself, as an extended regular expression.
only() {
	wrong=$(grep -nE '^#[[:space:]]*include[[:space:]]+"' "$1"/*.[ch] | grep -vE ":[[:space:]]*#[^\"]*\"($2)")
	[ -z "$wrong" ] && return
	echo "not allowed for $1: $wrong"
	status=1
}

only src/util 'src/util/'
only netns 'netns/|src/tcp/|src/util/'
only src/observer/bpf 'src/observer/bpf/'
exit $status
