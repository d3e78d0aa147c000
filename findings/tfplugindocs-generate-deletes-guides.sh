#!/usr/bin/env bash
# `tfplugindocs generate` deletes `docs/guides`, also in a repository where people write the guides there and which has no
# `templates/guides` to make them from. It does not ask, and exits with 0. Folders whose names it does not know stay.
#
# Seen on 2026-11-28 with tfplugindocs 0.25.0, built from its Go module:
#   before    docs/guides/start.md, docs/images/start.svg
#   printed   "removing directory: "guides""
#   after     docs/images/start.svg, docs/index.md, docs/resources/thing.md
#
# Needs Go 1.21 or newer, and a Go module proxy. Takes about a minute.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOBIN=$work/bin CGO_ENABLED=0 GOFLAGS= GOWORK=off GOTOOLCHAIN=auto
go install github.com/hashicorp/terraform-plugin-docs/cmd/tfplugindocs@v0.25.0

mkdir -p provider/docs/guides provider/docs/images
echo "module terraform-provider-example" >provider/go.mod
echo "# Start" >provider/docs/guides/start.md
echo "<svg/>" >provider/docs/images/start.svg
cat >schema.json <<'JSON'
{
  "format_version": "1.0",
  "provider_schemas": {
    "registry.terraform.io/hashicorp/example": {
      "provider": { "version": 0, "block": { "description_kind": "plain" } },
      "resource_schemas": {
        "example_thing": { "version": 0, "block": { "description_kind": "plain" } }
      }
    }
  }
}
JSON

output=$(bin/tfplugindocs generate --provider-dir provider --provider-name example --providers-schema schema.json 2>&1)
after=$(cd provider && find docs -type f | sort | tr '\n' ' ')
if [[ $output != *'removing directory: "guides"'* || $after != "docs/images/start.svg docs/index.md docs/resources/thing.md " ]]; then
  printf 'This has changed: %s\n%s\n' "$after" "$output" >&2
  exit 1
fi
echo "seen: $after"
