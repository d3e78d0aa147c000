#!/usr/bin/env bash
# `tfplugindocs validate --providers-schema FILE` reads what `terraform providers schema -json` prints, but looks only for
# the provider NAME and for `registry.terraform.io/hashicorp/NAME`. For a provider of any other namespace, it finds no
# schema. With the full address as `--provider-name`, it finds the schema, takes the address for the prefix of the
# resources' names, and so matches no page with a resource.
#
# Seen on 2026-11-28 with tfplugindocs 0.25.0, built from its Go module, and valid pages of a provider with one resource:
#   registry.terraform.io/hashicorp/example in the file, --provider-name example
#       no error
#   registry.terraform.io/acme/example in the file, --provider-name example
#       "unable to find schema in JSON for provider "example""
#   registry.terraform.io/acme/example in the file, --provider-name registry.terraform.io/acme/example
#       "matching resource for documentation file (thing.md) not found, file is extraneous or incorrectly named"
#
# Needs Go 1.21 or newer, and a Go module proxy. Takes about a minute.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOBIN=$work/bin CGO_ENABLED=0 GOFLAGS= GOWORK=off GOTOOLCHAIN=auto
go install github.com/hashicorp/terraform-plugin-docs/cmd/tfplugindocs@v0.25.0

# page FILE TITLE
page() {
  mkdir -p "$(dirname "$1")"
  printf -- '---\npage_title: "%s"\nsubcategory: ""\ndescription: |-\n  A page.\n---\n\n# %s\n' "$2" "$2" >"$1"
}

# validate ADDRESS PROVIDER_NAME: prints the errors, for a schema of a provider with this address.
validate() {
  cat >schema.json <<JSON
{
  "format_version": "1.0",
  "provider_schemas": {
    "$1": {
      "provider": { "version": 0, "block": { "description_kind": "plain" } },
      "resource_schemas": {
        "example_thing": {
          "version": 0,
          "block": {
            "attributes": { "id": { "type": "string", "description_kind": "plain", "computed": true } },
            "description_kind": "plain"
          }
        }
      }
    }
  }
}
JSON
  bin/tfplugindocs validate --provider-dir provider --provider-name "$2" --providers-schema schema.json 2>&1 || true
}

# expect TEXT OUTPUT
expect() {
  if [[ $2 != *"$1"* ]]; then
    printf 'This has changed. Expected: %s\n%s\n' "$1" "$2" >&2
    exit 1
  fi
  echo "seen: $1"
}

page provider/docs/resources/thing.md example_thing
echo "module terraform-provider-example" >provider/go.mod

output=$(validate registry.terraform.io/hashicorp/example example)
expect "Found resource example_thing" "$output"
if [[ $output == *rror* ]]; then
  printf 'This has changed.\n%s\n' "$output" >&2
  exit 1
fi
expect 'unable to find schema in JSON for provider "example"' "$(validate registry.terraform.io/acme/example example)"
expect "matching resource for documentation file (thing.md) not found, file is extraneous or incorrectly named" \
  "$(validate registry.terraform.io/acme/example registry.terraform.io/acme/example)"
