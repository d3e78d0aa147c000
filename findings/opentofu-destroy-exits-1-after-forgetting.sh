#!/usr/bin/env bash
# A destroy of OpenTofu does all that its plan says, and then exits with 1, if the plan forgets an object because its
# resource has `destroy = false`. A pipeline takes that for a failure, but another attempt finds nothing to do and exits
# with 0. To forget the same object by removing its resource block is no error. `-suppress-forget-errors` makes the exit
# code 0.
#
# Seen on 2026-11-28 with OpenTofu 1.12.6, built from its Go module, and the built-in resource `terraform_data`:
#   tofu destroy -auto-approve                            "Destroy was successful but left behind forgotten instances", 1
#   tofu plan -destroy -out=PLAN; tofu apply PLAN         the same
#   tofu destroy -auto-approve, once more                 0
#   tofu destroy -auto-approve -suppress-forget-errors    0
#   tofu apply -auto-approve, without the block           0
#
# Needs Go 1.21 or newer, Python 3, and a Go module proxy. Takes minutes, if Go's cache has nothing of OpenTofu.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Whatever this machine configures for other projects.
touch cli.tfrc
export TF_CLI_CONFIG_FILE=$PWD/cli.tfrc

module=github.com/opentofu/opentofu
export CGO_ENABLED=0 GOFLAGS= GOWORK=off GOTOOLCHAIN=auto
directory=$(go mod download -json "$module@v1.12.6" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
(cd "$directory" && go build -mod=readonly -trimpath -ldflags "-s -w -X $module/version.dev=no" -o "$work/tofu" ./cmd/tofu)
./tofu version

# Starts again with an object whose resource has `destroy = false`.
create() {
  rm -rf .terraform* terraform.tfstate*
  cat >main.tf <<'HCL'
resource "terraform_data" "this" {
  lifecycle {
    destroy = false
  }
}
HCL
  ./tofu init >init.log
  ./tofu apply -auto-approve >apply.log
}

# expect CODE COMMAND...: afterwards, the state is empty.
expect() {
  local expected=$1 code=0
  shift
  "$@" -no-color >output.log 2>&1 || code=$?
  if [[ $code != "$expected" || -n $(./tofu state list) ]] ||
    { [[ $code == 1 ]] && ! grep --quiet "Destroy was successful but left behind forgotten instances" output.log; }; then
    printf 'This has changed: %s exits with %s.\n' "$*" "$code" >&2
    cat output.log >&2
    exit 1
  fi
  echo "seen: $*, exit code $code"
}

create
expect 1 ./tofu destroy -auto-approve
expect 0 ./tofu destroy -auto-approve
create
./tofu plan -destroy -out=PLAN >plan.log
apply_plan() { ./tofu apply "$@" PLAN; }
expect 1 apply_plan
create
expect 0 ./tofu destroy -auto-approve -suppress-forget-errors
create
echo >main.tf
expect 0 ./tofu apply -auto-approve
