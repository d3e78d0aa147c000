#!/usr/bin/env bash
# conftest reads the numbers of a plan as floating-point numbers, and a policy's messages show it: `%v` writes a whole
# number of seven digits or more with an exponent, and `%d` does not take it. Above 2^53, the number itself is another. OPA,
# whose engine conftest uses, keeps the digits in the same policy, so a policy that people tried with OPA prints useless
# account numbers in conftest.
#
# Seen on 2026-11-28 with conftest 0.71.1 and OPA 1.21.1, built from their Go modules:
#   input               conftest                                             opa eval
#   999999              %v: 999999, %d: 999999                               the same
#   1400000001          %v: 1.400000001e+09, %d: %!d(float64=1.400…e+09)     %v: 1400000001, %d: 1400000001
#   9007199254740993    equals 9007199254740992                              equals 9007199254740993
#
# Needs Go 1.21 or newer, Python 3, and a Go module proxy. Takes some minutes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOBIN=$work/bin CGO_ENABLED=0 GOFLAGS= GOWORK=off GOTOOLCHAIN=auto
go install github.com/open-policy-agent/conftest@v0.71.1
go install github.com/open-policy-agent/opa@v1.21.1

mkdir policy
cat >policy/numbers.rego <<'REGO'
package main

deny contains sprintf("%v: %%v: %v, %%d: %d", [name, number, number]) if some name, number in input.numbers

deny contains "large is even" if input.numbers.large == 9007199254740992

deny contains "large is odd" if input.numbers.large == 9007199254740993
REGO
echo '{ "numbers": { "small": 999999, "app": 1400000001, "large": 9007199254740993 } }' >plan.json

bin/conftest test --output json plan.json >seen-conftest.json || true
bin/opa eval --format json --data policy --input plan.json data.main.deny >seen-opa.json
python3 - <<'PYTHON'
import json

conftest = [failure["msg"] for failure in json.load(open("seen-conftest.json"))[0]["failures"]]
opa = json.load(open("seen-opa.json"))["result"][0]["expressions"][0]["value"]
print("conftest:", *conftest, sep="\n  ")
print("opa:", *opa, sep="\n  ")
assert "small: %v: 999999, %d: 999999" in conftest and "small: %v: 999999, %d: 999999" in opa
assert "app: %v: 1.400000001e+09, %d: %!d(float64=1.400000001e+09)" in conftest
assert "app: %v: 1400000001, %d: 1400000001" in opa
assert "large is even" in conftest and "large is odd" not in conftest
assert "large is odd" in opa and "large is even" not in opa
PYTHON
