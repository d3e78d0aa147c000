#!/usr/bin/env bash
# `tofu state show -json` writes two JSON documents to standard output: first a log record with OpenTofu's version, as
# `tofu plan -json` does, and then the state. `tofu show -json`, whose form the second document has, writes only one. So
# `tofu state show -json ADDRESS | jq .values` answers null first, and a reader of one document fails.
#
# Seen on 2026-11-27 with OpenTofu 1.12.6, built from its Go module, and the built-in resource `terraform_data`:
#   state show -json   {"@level":"info","@message":"OpenTofu 1.12.6",…,"type":"version","ui":"1.2"}
#                      {"format_version":"1.0","terraform_version":"1.12.6","values":{"root_module":…}}
#   show -json         {"format_version":"1.0","terraform_version":"1.12.6","values":{"root_module":…}}
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
(cd "$directory" && go build -mod=readonly -trimpath -ldflags "-X $module/version.dev=no" -o "$work/tofu" ./cmd/tofu)
./tofu version

cat >main.tf <<'HCL'
resource "terraform_data" "this" {
  input = "a"
}
HCL
./tofu init >init.log
./tofu apply -auto-approve >apply.log

./tofu state show -json terraform_data.this >state-show.json
./tofu show -json >show.json
python3 - <<'PYTHON'
import json


def documents(path):
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip()]


shown = documents("state-show.json")
assert [sorted(one)[0] for one in shown] == ["@level", "format_version"], shown
assert (shown[0]["type"], shown[0]["@message"]) == ("version", "OpenTofu 1.12.6"), shown
assert shown[1]["values"]["root_module"]["resources"][0]["address"] == "terraform_data.this", shown
assert len(documents("show.json")) == 1
print("seen: a log record, and then the state")
PYTHON
