#!/usr/bin/env bash
# What we lean on in AWS, on an implementation that shares nothing with the emulator of cloud.sh and keys.sh: moto from
# PyPI. The contract suites of DynamoDB and S3, Object Lock, and the state machine on LocalStack's interpreter of Amazon
# States Language, which moto has and whose grammar is stricter than most. Needs Node with `npm ci` done, python3 with
# venv and two ports on loopback; SMDPF_CI_MOTO names a Python that has moto already. Its KMS is left out: it signs the hash
# of a digest.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly MOTO_VERSION=5.2.5
readonly PORT="${SMDPF_CI_PORT:-4577}"
readonly LAMBDA_PORT="${SMDPF_CI_LAMBDA_PORT:-4578}"
readonly WORK="$(mktemp -d)"
server=''

stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$WORK"
}
trap stop EXIT

python="${SMDPF_CI_MOTO:-}"
if [ -z "$python" ]; then
  python3 -m venv "$WORK/venv"
  python="$WORK/venv/bin/python"
  "$python" -m pip install --quiet --disable-pip-version-check "moto[server,stepfunctions]==$MOTO_VERSION"
fi

"$python" .ci/moto/serve.py "$PORT" "$LAMBDA_PORT" >"$WORK/moto.log" 2>&1 </dev/null &
server=$!
for _ in $(seq 60); do
  curl --silent --fail --max-time 2 "http://127.0.0.1:$PORT/moto-api/" >/dev/null && break
  kill -0 "$server" 2>/dev/null || { tail -n 40 "$WORK/moto.log"; exit 1; }
  sleep 1
done

export SMDPF_TEST_AWS_ENDPOINT="http://127.0.0.1:$PORT" SMDPF_TEST_LAMBDA_PORT="$LAMBDA_PORT"
SMDPF_TEST_S3_HAS=lock,lockedPut npx vitest run --no-file-parallelism --testTimeout=300000 --hookTimeout=300000 \
  test/aws/state-machine.test.ts test/vault/s3.test.ts test/vault/s3-semantics.test.ts \
  test/vault/dynamodb-ppk.test.ts test/ledger/dynamodb.test.ts
