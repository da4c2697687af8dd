#!/bin/sh
# Deploys the whole stack to the emulator at AWS_ENDPOINT_URL; may be repeated.
set -eu
# the Lambda of the console has its pages
npm run --silent console:build
# once, for both: making the template takes longer than the emulator takes to deploy it
cdk --context target=emulator synth --quiet --output cdk.out/emulated
cdk --app cdk.out/emulated bootstrap "aws://000000000000/$AWS_REGION" >/dev/null
# straight from the template: emulators know little of change sets
cdk --app cdk.out/emulated deploy smdpf-emulated \
  --method=direct --require-approval never --outputs-file cdk.out/outputs.json
