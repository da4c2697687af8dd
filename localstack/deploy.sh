#!/bin/sh
# Deploys the whole stack to the emulator at AWS_ENDPOINT_URL; may be repeated.
set -eu
cdk --context target=emulator bootstrap "aws://000000000000/$AWS_REGION" >/dev/null
# straight from the template: emulators know little of change sets
cdk --context target=emulator deploy smdpf-emulated \
  --method=direct --require-approval never --outputs-file cdk.out/outputs.json
