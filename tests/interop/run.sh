#!/usr/bin/env bash
# Plays the example udp_node against SIPp, and prints what came of it. Installs SIPp and tshark from Debian.
# Without them it fails, unless IMS_INTEROP=optional says that this is known; then the summary says so too.
# IMS_INTEROP_ONLY=ELEMENT,…: these roles alone.
# UDP_NODE=FILE: another build of the program than that of the tests.
# IMS_INTEROP_LOAD=SECONDS: for how long many UEs register at the highest rate that the machine bears; 0 for not at all.
# From 60 on memory must not grow; that takes 96 at least.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly load=${IMS_INTEROP_LOAD:-20}

install() {
    local missing=()
    command -v sipp >/dev/null || missing+=(sip-tester)
    command -v tshark >/dev/null || missing+=(tshark)
    ((${#missing[@]} > 0)) || return 0
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

if ! install && [[ ${IMS_INTEROP:-} != optional ]]; then
    echo "interop: SIPp and tshark cannot be installed. IMS_INTEROP=optional passes over it." >&2
    exit 1
fi
if ((load > 0)); then
    export IMS_INTEROP_LOAD=$load
else
    unset IMS_INTEROP_LOAD
fi
exec cargo test --quiet --locked --profile "${IMS_INTEROP_PROFILE:-exploration}" --features interop-tests \
    --test interop -- --nocapture
