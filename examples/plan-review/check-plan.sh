#!/usr/bin/env bash
# Checks a saved plan: prints a line for each violation of the policy, and fails if there is one.
set -euo pipefail

violations=$(terraform show -json "$1" | jq -r --slurpfile policy policy.json -f policy.jq)
if [ -n "$violations" ]; then
  printf '%s\n' "$violations"
  exit 1
fi
