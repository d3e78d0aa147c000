#!/usr/bin/env bash
# Downloads the provider to terraform.d/plugins, where `terraform init` looks before it asks a registry: for the platforms
# given as arguments (linux_amd64, darwin_arm64, …), or for this machine's.
#
# Delete this file, and the steps that run it, once a registry has the provider.
set -euo pipefail

version=0.1.0
# Where your team keeps the archives that `cargo xtask package` makes in a checkout of the provider.
archives=https://artifacts.example.com/terraform-provider-tencent

os=$(uname -s | tr '[:upper:]' '[:lower:]')
arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')

for platform in "${@:-${os}_$arch}"; do
  archive=terraform-provider-tencent_${version}_$platform.zip
  for registry in registry.terraform.io registry.opentofu.org; do
    file=terraform.d/plugins/$registry/callkit/tencent/$archive
    if [ ! -e "$file" ]; then
      curl --fail --silent --show-error --location --create-dirs --output "$file.part" "$archives/$archive" || {
        echo "Cannot download $archives/$archive" >&2
        exit 1
      }
      mv "$file.part" "$file"
    fi
  done
done
