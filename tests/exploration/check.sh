#!/usr/bin/env bash
# check.sh [PATTERN]: a copy of the library with the bug of each patch in tests/exploration/mutants in it, of those
# whose name begins with PATTERN, must make the exploration report the property that the patch names as broken, and
# no other first. Fails where it does not, or where a patch does not apply.
set -Eeuo pipefail
pattern=${1:-}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
# What the other builds have compiled stays theirs.
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/mutants
export CARGO_TARGET_DIR
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- | tar -x -C "$copy"
cd "$copy"

checked=0
failed=0
for patch in "$root"/tests/exploration/mutants/"$pattern"*.patch; do
    name=$(basename "$patch" .patch)
    wanted=$(sed -n 's/^breaks: //p' "$patch")
    began=$SECONDS
    git apply --recount "$patch"
    if EXPLORATION=small cargo test -q --locked --profile exploration --test exploration -- --nocapture >"$name.log" 2>&1; then
        echo "$name: NOT found: $wanted"
        failed=1
    elif grep -qx "broken: $wanted" "$name.log"; then
        echo "-- $name breaks \"$wanted\": found after $((SECONDS - began)) s"
    else
        echo "$name: wanted \"$wanted\", found:"
        grep '^broken: ' "$name.log" || tail -30 "$name.log"
        failed=1
    fi
    git apply --recount --reverse "$patch"
    checked=$((checked + 1))
done
((checked > 0 && failed == 0))
