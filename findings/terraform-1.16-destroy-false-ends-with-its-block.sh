#!/usr/bin/env bash
# `lifecycle { destroy = false }`, new in Terraform 1.16, keeps an object when `terraform destroy` or a replacement would
# destroy it, but not when someone removes the resource block: the setting goes with the block, and the plan destroys the
# object. OpenTofu 1.12 remembers the setting in its state, and forgets the object in all of these cases.
#
# Seen on 2026-11-28 with Terraform 1.16.4 and OpenTofu 1.12.6, built from their Go modules, and the built-in resource
# `terraform_data`; planned actions:
#                      terraform              tofu
#   plan -destroy      forget                 forget
#   replacement        forget, create         forget, create
#   block removed      delete                 forget
#
# Needs Go 1.21 or newer, Python 3, and a Go module proxy. Takes minutes, if Go's cache has nothing of Terraform and OpenTofu.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Whatever this machine configures for other projects.
touch cli.tfrc
export TF_CLI_CONFIG_FILE=$PWD/cli.tfrc CHECKPOINT_DISABLE=1
export CGO_ENABLED=0 GOFLAGS= GOWORK=off GOTOOLCHAIN=go1.26.8

# unpacked MODULE_VERSION: prints the directory into which Go unpacks a module.
unpacked() {
  go mod download -json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])'
}

terraform=github.com/hashicorp/terraform
cp -r "$(unpacked "$terraform@v1.16.4")" source
chmod -R u+w source
# go.mod replaces these modules by directories that the archive lacks. Stubs take their place.
for backend in azure consul cos gcs kubernetes oci oss pg s3; do
  stub=source/internal/backend/remote-state/$backend
  mkdir -p "$stub"
  echo "module $terraform/internal/backend/remote-state/$backend" >"$stub/go.mod"
  printf 'package %s\n\nimport "%s/internal/backend"\n\nfunc New() backend.Backend { return nil }\n' \
    "$backend" "$terraform" >"$stub/stub.go"
done
mkdir -p source/internal/legacy
echo "module $terraform/internal/legacy" >source/internal/legacy/go.mod
go build -C source -mod=mod -trimpath -ldflags "-s -w -X $terraform/version.dev=no" -o "$work/terraform" .
./terraform version

tofu=github.com/opentofu/opentofu
go build -C "$(unpacked "$tofu@v1.12.6")" -mod=readonly -trimpath -ldflags "-s -w -X $tofu/version.dev=no" \
  -o "$work/tofu" ./cmd/tofu
./tofu version

# resource TRIGGER: writes a resource with `destroy = false`.
resource() {
  cat >main.tf <<HCL
resource "terraform_data" "this" {
  triggers_replace = "$1"

  lifecycle {
    destroy = false
  }
}
HCL
}

# expect ACTIONS PROGRAM [OPTION]: plans these actions.
expect() {
  local actions
  "./$2" plan "${@:3}" -out=plan.tfplan >plan.log
  actions=$("./$2" show -json plan.tfplan | python3 -c 'import json, sys
[change] = json.load(sys.stdin)["resource_changes"]
print(*change["change"]["actions"])')
  if [[ $actions != "$1" ]]; then
    echo "This has changed: $2 plans $actions, not $1." >&2
    cat plan.log >&2
    exit 1
  fi
  echo "seen: $*"
}

for program in terraform tofu; do
  rm -rf .terraform* terraform.tfstate*
  resource a
  "./$program" init >init.log
  "./$program" apply -auto-approve >apply.log
  expect forget "$program" -destroy
  resource b
  expect "forget create" "$program"
  echo >main.tf
  if [[ $program == terraform ]]; then expect delete terraform; else expect forget tofu; fi
done
