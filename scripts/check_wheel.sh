#!/usr/bin/env bash
# The wheel works: built by maturin, installed into a fresh virtual environment, run there.
#
#   scripts/check_wheel.sh [release|debug]     (default: release, as it is published)
#
# Needs python3 with venv, a Rust toolchain, and PyPI for maturin. Takes minutes, so it is no part of `cargo test`.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-release}" in
    release) profile=(--release) ;;
    debug) profile=() ;;
    *) echo "usage: $0 [release|debug]" >&2; exit 2 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/build"
"$work/build/bin/pip" install --quiet --disable-pip-version-check 'maturin>=1.7,<2'
"$work/build/bin/maturin" build --locked "${profile[@]}" --out "$work/wheels"

# No index and no dependencies: the wheel is the binary alone.
python3 -m venv "$work/fresh"
"$work/fresh/bin/pip" install --quiet --disable-pip-version-check --no-index "$work"/wheels/*.whl

expected="reconnect-lint $(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)"
version=$("$work/fresh/bin/reconnect-lint" --version)
[ "$version" = "$expected" ] || { echo "the wheel says '$version', Cargo.toml '$expected'" >&2; exit 1; }
printf 'X = 1\n' | "$work/fresh/bin/reconnect-lint" --quiet -

echo "ok: $version from $(basename "$work"/wheels/*.whl), $(du -k "$work"/wheels/*.whl | cut -f1) KB"
