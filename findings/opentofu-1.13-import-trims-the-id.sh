#!/usr/bin/env bash
# `tofu import ADDRESS ID` of OpenTofu 1.13.0-beta1 removes white space around the ID before the provider sees it. An
# `import` block keeps it. So one ID imports two different objects, or only one of the two ways finds the object. Up to
# 1.12, both keep it.
#
# Seen on 2026-11-28 with OpenTofu 1.13.0-beta1 and 1.12.6, built from their Go module, and the built-in resource
# `terraform_data`, whose import keeps any ID; with the ID " a b ":
#   1.13.0-beta1, tofu import     id = "a b"
#   1.13.0-beta1, import block    id = " a b "
#   1.12.6, either                id = " a b "
#
# Needs Go 1.21 or newer, Python 3, and a Go module proxy. Takes minutes, if Go's cache has nothing of OpenTofu.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Whatever this machine configures for other projects.
touch cli.tfrc
export TF_CLI_CONFIG_FILE=$PWD/cli.tfrc

# build VERSION GO_VERSION
build() {
  local module=github.com/opentofu/opentofu directory
  export CGO_ENABLED=0 GOFLAGS= GOWORK=off GOTOOLCHAIN=go$2
  directory=$(go mod download -json "$module@v$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
  (cd "$directory" && go build -mod=readonly -trimpath -ldflags "-s -w -X $module/version.dev=no" -o "$work/tofu-$1" ./cmd/tofu)
  "./tofu-$1" version
}

# expect LINE VERSION: the line is part of the imported object.
expect() {
  local state
  state=$("./tofu-$2" state show -no-color terraform_data.this)
  if ! grep --quiet --line-regexp --fixed-strings "    $1" <<<"$state"; then
    printf 'This has changed. Expected: %s\n%s\n' "$1" "$state" >&2
    exit 1
  fi
  echo "seen: $2, $1"
}

# import VERSION EXPECTED_BY_COMMAND EXPECTED_BY_BLOCK
import() {
  rm -rf .terraform* terraform.tfstate* import.tf
  "./tofu-$1" init >init.log
  "./tofu-$1" import terraform_data.this " a b " >import.log
  expect "$2" "$1"

  rm terraform.tfstate
  cat >import.tf <<'HCL'
import {
  to = terraform_data.this
  id = " a b "
}
HCL
  "./tofu-$1" apply -auto-approve >apply.log
  expect "$3" "$1"
}

echo 'resource "terraform_data" "this" {}' >main.tf
build 1.12.6 1.26.8
build 1.13.0-beta1 1.27.3
import 1.12.6 'id = " a b "' 'id = " a b "'
import 1.13.0-beta1 'id = "a b"' 'id = " a b "'
