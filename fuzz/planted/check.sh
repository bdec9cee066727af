#!/usr/bin/env bash
# check.sh TARGET [SECONDS]: a copy of the library with the bug of TARGET.patch in it must make the fuzz target
# fail within SECONDS (60), from the seeds of the gate. Fails if it does not, or if the patch does not apply.
set -Eeuo pipefail
target=${1:?usage: check.sh TARGET [SECONDS]}
seconds=${2:-60}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
patch=$PWD/fuzz/planted/$target.patch

# What the other builds have compiled stays theirs.
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/fuzz/target}/planted
export CARGO_TARGET_DIR
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- | tar -x -C "$copy"
cd "$copy"
git apply --recount "$patch"

case $target in
reginfo) seeds=(fuzz/seeds/reginfo tests/fixtures/reginfo tests/fixtures/malformed) ;;
reginfo_differential)
    seeds=(fuzz/seeds/reginfo_differential fuzz/seeds/reginfo tests/fixtures/reginfo tests/fixtures/malformed)
    ;;
relay)
    seeds=(tests/fixtures/sip tests/fixtures/captures fuzz/seeds/reginfo tests/fixtures/reginfo
        tests/fixtures/malformed)
    ;;
pcscf | cpm | mscics | regevent) seeds=("fuzz/seeds/$target") ;;
sdp) seeds=(tests/fixtures/sdp) ;;
differential) seeds=(tests/fixtures/sip tests/fixtures/captures) ;;
*) seeds=(tests/fixtures/sip tests/fixtures/captures tests/fixtures/known_crashes) ;;
esac
for more in "tests/fixtures/fuzz/$target"; do
    [[ ! -d $more ]] || seeds+=("$more")
done
dictionary=()
[[ ! -e fuzz/dictionaries/$target.dict ]] || dictionary=(-dict="fuzz/dictionaries/$target.dict")

cargo +nightly fuzz build "$target" 2>build.log || { cat build.log; exit 1; }
mkdir -p "fuzz/corpus/$target"
began=$SECONDS
if cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "${seeds[@]}" -- \
    -max_total_time="$seconds" -timeout=10 -max_len=2048 -len_control=0 -verbosity=0 "${dictionary[@]}" \
    >run.log 2>&1; then
    echo "$target: the planted bug was NOT found within $seconds s"
    exit 1
fi
# A run can also fail without having found anything.
if ! compgen -G "fuzz/artifacts/$target/*" >/dev/null; then
    tail -20 run.log
    exit 1
fi
echo "$target: the planted bug was found after $((SECONDS - began)) s"
