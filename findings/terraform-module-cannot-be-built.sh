#!/usr/bin/env bash
# Terraform's Go module, as a module proxy serves it, cannot be built: neither by `go install`, nor in the directory into
# which Go unpacks it. Its `go.mod` replaces the modules of nine state backends, and `internal/legacy`, with directories of
# the repository. A module's archive leaves out all nested modules, so these are missing. OpenTofu's module has no such
# replacements, and builds in its directory.
#
# Seen on 2026-11-28 with Terraform 1.16.4 and Go 1.26.8:
#   go install github.com/hashicorp/terraform@v1.16.4
#       "The go.mod file for the module providing named packages contains one or more replace directives."
#   go build, in the module's directory
#       "replacement directory ./internal/backend/remote-state/azure does not exist"
#
# Needs Go 1.21 or newer, Python 3, and a Go module proxy. Takes about a minute.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOBIN=$work/bin CGO_ENABLED=0 GOFLAGS= GOWORK=off GOTOOLCHAIN=go1.26.8
module=github.com/hashicorp/terraform

# expect TEXT COMMAND...: the command fails, and prints the text.
expect() {
  local text=$1 output
  shift
  if output=$("$@" 2>&1) || [[ $(tr -s '[:space:]' ' ' <<<"$output") != *"$text"* ]]; then
    printf 'This has changed. Expected: %s\n%s\n' "$text" "$output" >&2
    exit 1
  fi
  echo "seen: $text"
}

expect "The go.mod file for the module providing named packages contains one or more replace directives" \
  go install "$module@v1.16.4"
directory=$(go mod download -json "$module@v1.16.4" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
expect "replacement directory ./internal/backend/remote-state/azure does not exist" go build -C "$directory" -o "$work/terraform" .

python3 - "$directory" <<'PYTHON'
import pathlib, re, sys

directory = pathlib.Path(sys.argv[1])
replaced = re.findall(r"=> (\./\S+)", (directory / "go.mod").read_text())
missing = [path for path in replaced if not (directory / path / "go.mod").exists()]
assert len(missing) == len(replaced) == 10, (missing, replaced)
print("seen: the archive lacks", ", ".join(missing))
PYTHON
