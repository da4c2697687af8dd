#!/bin/sh
# The cloud side for real: an emulator of AWS from PyPI, the whole stack deployed to it, the smoke flow over HTTP, and
# what is tested on stores of AWS beyond the contract suites, which keys.sh runs. Needs Node with `npm ci` done, python3
# with venv, and ports on loopback.
set -eu
cd "$(dirname "$0")/.."
MINISTACK_VERSION=1.5.33
port=${SMDPF_CI_PORT:-4566}
work=$(mktemp -d)
emulator=

clean_up() {
  [ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT INT TERM

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "ministack==$MINISTACK_VERSION" cryptography

# Lambdas run on the first `node` of the emulator's PATH: the one of the project.
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
# Loopback alone: by itself it listens on every interface, and runs whatever it is sent.
BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" "$work/venv/bin/ministack" >"$work/emulator.log" 2>&1 &
emulator=$!
export AWS_ENDPOINT_URL="http://127.0.0.1:$port"
tries=0
until curl -sf "$AWS_ENDPOINT_URL/_ministack/health" >/dev/null; do
  tries=$((tries + 1))
  if [ "$tries" -gt 60 ] || ! kill -0 "$emulator" 2>/dev/null; then
    echo "the emulator did not start:" >&2
    tail -n 20 "$work/emulator.log" >&2
    exit 1
  fi
  sleep 1
done

npm run localstack:deploy
npm run localstack:doctor
npm run localstack:smoke
npm run localstack:aws-smoke
npm run localstack:console

# Afterwards, since they bring stores of their own and stay out of the stack's; one emulator serves them one by one.
SMDPF_TEST_AWS_ENDPOINT="$AWS_ENDPOINT_URL" SMDPF_TEST_KMS_ENDPOINT="$AWS_ENDPOINT_URL" \
  npx vitest run --no-file-parallelism --testTimeout=300000 --hookTimeout=300000 test/aws
