#!/usr/bin/env bash
# check.sh [ROLE/MUTANT...]: a copy of the library with the bug of mutants/ROLE/MUTANT.patch in it, all of them unless
# some are named, must make the test that the patch names, within the bounds of the gate, report the property that
# the patch names, and no other. Fails if it does not, or if a patch does not apply.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mutants=$PWD/tests/exploration/mutants
all=("$mutants"/*/*.patch)
if (($# > 0)); then
    all=("${@/#/$mutants/}")
    all=("${all[@]/%/.patch}")
fi

# What is compiled of the dependencies is shared with the library itself.
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR
work=$CARGO_TARGET_DIR/mutants
copy=$work/copy
failed=0
for patch in "${all[@]}"; do
    name=${patch#"$mutants/"}
    name=${name%.patch}
    test=$(sed -n 's/^Test: //p' "$patch")
    named=$(sed -n 's/^Breaks: //p' "$patch")
    rm -rf "$copy"
    mkdir -p "$copy"
    git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- | tar -x -m -C "$copy"
    if ! git -C "$copy" init -q || ! (cd "$copy" && git apply --recount "$patch"); then
        echo "$name: the patch does not apply"
        failed=1
        continue
    fi
    # By its version cargo tells what it compiled of the copy from what it compiled of the library.
    sed -i '/^name = "ims-procedures"$/{n;s/^version = .*/version = "0.0.0-mutant"/}' "$copy"/Cargo.{toml,lock}
    log=$work/${name/\//-}.log
    began=$SECONDS
    if ! (cd "$copy" && cargo test -q --locked --profile exploration --test exploration --no-run) >"$log" 2>&1; then
        cat "$log"
        echo "$name: it does not build"
        failed=1
        continue
    fi
    built=$((SECONDS - began))
    (cd "$copy" && EXPLORATION=gate cargo test -q --locked --profile exploration --test exploration "$test" -- \
        --nocapture) >"$log" 2>&1 || true
    broken=$(sed -n 's/^broken: //p' "$log" | sort -u)
    if [[ -n $named && $broken == "$named" ]]; then
        echo "$name: \"$named\" is broken (build $built s, run $((SECONDS - began - built)) s)"
    else
        tail -20 "$log"
        echo "$name: it should break \"$named\"; broken: ${broken:-nothing}"
        failed=1
    fi
done
exit $failed
