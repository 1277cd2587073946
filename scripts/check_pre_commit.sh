#!/usr/bin/env bash
# The pre-commit hook works: a throw-away repository uses this one as `repo:`, a bad commit is stopped, a mended one passes.
#
#   scripts/check_pre_commit.sh [HOOK]         (default: reconnect-lint; the other one is reconnect-lint-wheel)
#
# The hook is taken from the last commit, as pre-commit does; what is not committed is not tested.
# Needs git, python3 with venv, a Rust toolchain, PyPI (pre-commit) and crates.io (the hook builds the program). Takes
# minutes, so it is no part of `cargo test`. The build is not optimised, to save some of them.
set -euo pipefail
cd "$(dirname "$0")/.."

hook=${1:-reconnect-lint}
source=$PWD
revision=$(git rev-parse HEAD)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export PRE_COMMIT_HOME="$work/cache"
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=0
# Environment variables of a commit that is under way would lead git astray.
unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE

python3 -m venv "$work/tools"
"$work/tools/bin/pip" install --quiet --disable-pip-version-check pre-commit
export PATH="$work/tools/bin:$PATH"

# A clone, because a work tree of git is nothing that can be fetched from everywhere.
git clone --quiet "$source" "$work/hook"
git -C "$work/hook" checkout --quiet "$revision"

mkdir "$work/shop"
cd "$work/shop"
git init --quiet
git config user.name shop
git config user.email shop@example.org
git config commit.gpgsign false
cat > .pre-commit-config.yaml <<CONFIG
repos:
  - repo: file://$work/hook
    rev: $revision
    hooks:
      - id: $hook
CONFIG
echo 'pymongo==3.4.0' > requirements.txt
pre-commit install > /dev/null
git add .
git commit --quiet --message 'nothing to check yet'

commit() {
    git add .
    git commit --quiet --message "$1" > "$work/log" 2>&1
}

cat > shop.py <<'PYTHON'
from pymongo import MongoClient

users = MongoClient("mongodb://a,b/?replicaSet=rs").app.users


def greet(name):
    return users.find_one({"name": name})
PYTHON
if commit 'bad'; then
    cat "$work/log" >&2
    echo "a bad commit was not stopped" >&2
    exit 1
fi
grep -q RL101 "$work/log" || { cat "$work/log" >&2; echo "it was stopped by something else" >&2; exit 1; }

cat > shop.py <<'PYTHON'
from pymongo import MongoClient
from pymongo.errors import AutoReconnect

users = MongoClient("mongodb://a,b/?replicaSet=rs").app.users


def greet(name):
    try:
        return users.find_one({"name": name})
    except AutoReconnect:
        return None
PYTHON
commit 'mended' || { cat "$work/log" >&2; echo "a good commit was stopped" >&2; exit 1; }

echo "ok: $hook stops a commit that does not survive a lost connection, and lets a mended one pass"
