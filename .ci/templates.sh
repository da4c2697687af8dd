#!/usr/bin/env bash
# The templates of every example, held by cfn-lint against CloudFormation's own schemas: what it would refuse at the first
# deployment. Needs Node with `npm ci` done and python3 with venv; SMDPF_CI_LINT names a cfn-lint that is there already.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly CFN_LINT_VERSION=1.58.0
readonly WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT
lint="${SMDPF_CI_LINT:-}"

if [ -z "$lint" ]; then
  python3 -m venv "$WORK/venv"
  "$WORK/venv/bin/pip" install --quiet --disable-pip-version-check "cfn-lint==$CFN_LINT_VERSION"
  lint="$WORK/venv/bin/cfn-lint"
fi

# `synth` stops at what cdk-nag finds
npx cdk synth --quiet --output "$WORK/templates"
templates=("$WORK"/templates/*.template.json)
[ -f "${templates[0]}" ]
# W3005: the CDK has a function wait for its role by DependsOn where a reference says so already; it changes nothing
"$lint" --ignore-checks W3005 -- "${templates[@]}"
echo "cfn-lint: nothing in ${#templates[@]} templates"
