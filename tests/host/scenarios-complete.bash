# SPDX-License-Identifier: GPL-2.0-or-later
# scenarios-complete.bash NAME...: the test fails if a file in scenarios/ is not among the NAMEs of the tests.
. "$(dirname "$0")/lib.bash"
for file in "$SOURCE"/scenarios/[0-9]*/*.yaml; do
	name=$(basename "$file" .yaml)
	[[ " $* " == *" $name "* ]] || fail "$name is no test yet: meson setup --reconfigure BUILD"
done
finish
