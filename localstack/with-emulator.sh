#!/bin/sh
# Runs a command against the emulator of AWS, with credentials that are none.
set -eu
export AWS_ENDPOINT_URL="${AWS_ENDPOINT_URL:-http://127.0.0.1:4566}"
export AWS_REGION="${AWS_REGION:-eu-central-1}"
# A key that nobody else makes up: CDK remembers in ~/.cdk/cache which account a key is of, and would take that of an
# emulator for the account of somebody who tries with `test` elsewhere.
export AWS_ACCESS_KEY_ID=SMDPFEMULATOR AWS_SECRET_ACCESS_KEY=none
unset AWS_PROFILE AWS_SESSION_TOKEN
exec "$@"
