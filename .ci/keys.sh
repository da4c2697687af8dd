#!/usr/bin/env bash
# The suites that need a PKCS#11 token and an emulator of AWS: SoftHSM2 from Debian, MiniStack from PyPI.
# May be repeated; stops what it starts. SMDPF_CI_AWS_PORT chooses the emulator's port.
set -euo pipefail
cd "$(dirname "$0")/.."
export CI=true NO_COLOR=1 DEBIAN_FRONTEND=noninteractive

readonly PORT="${SMDPF_CI_AWS_PORT:-4566}"
readonly ENDPOINT="http://127.0.0.1:$PORT"
readonly MODULE=/usr/lib/softhsm/libsofthsm2.so
readonly MINISTACK_VERSION=1.5.33
readonly WORK="$(mktemp -d)"
emulator=''

stop() {
  if [ -n "$emulator" ]; then
    kill "$emulator" 2>/dev/null || true
    wait "$emulator" 2>/dev/null || true
  fi
  rm -rf "$WORK"
}
trap stop EXIT

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

answers() { curl --silent --fail --max-time 2 "$ENDPOINT/_ministack/health" >/dev/null 2>&1; }

echo '-- SoftHSM2, and what the addon of pkcs11js is compiled with'
wanted=(softhsm2 g++ make python3 python3-venv curl)
# Node-API headers of any Node do; libnode-dev conflicts with Nodes that bring their own
nodedir=''
for prefix in /usr /usr/local "$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")"; do
  [ -f "$prefix/include/node/node_api.h" ] && nodedir="$prefix" && break
done
if [ -z "$nodedir" ]; then
  nodedir=/usr
  wanted+=(libnode-dev)
fi
packages=()
for package in "${wanted[@]}"; do
  dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || packages+=("$package")
done
if [ "${#packages[@]}" -gt 0 ]; then
  # another part of the same run may install something too
  as_root flock /tmp/smdpf-ci-apt.lock apt-get update -q
  as_root flock /tmp/smdpf-ci-apt.lock apt-get install -q -y --no-install-recommends "${packages[@]}" </dev/null
fi

echo '-- the addon'
[ -d node_modules ] || npm ci
node -e 'require("pkcs11js")' 2>/dev/null ||
  npm_config_nodedir="$nodedir" npm rebuild pkcs11js --dangerously-allow-all-scripts
node -e 'require("pkcs11js")'

if answers; then
  echo "-- the emulator that answers at $ENDPOINT already"
else
  echo "-- MiniStack at $ENDPOINT"
  python3 -m venv "$WORK/venv"
  "$WORK/venv/bin/pip" install --quiet --disable-pip-version-check "ministack==$MINISTACK_VERSION" cryptography
  # loopback alone: by itself it listens on every interface, and runs whatever it is sent
  BIND_HOST=127.0.0.1 GATEWAY_PORT="$PORT" "$WORK/venv/bin/ministack" >"$WORK/ministack.log" 2>&1 </dev/null &
  emulator=$!
  for _ in $(seq 60); do
    answers && break
    kill -0 "$emulator" 2>/dev/null || break
    sleep 1
  done
  answers || { tail -n 40 "$WORK/ministack.log"; exit 1; }
fi

export SMDPF_TEST_KMS_ENDPOINT="$ENDPOINT" SMDPF_TEST_AWS_ENDPOINT="$ENDPOINT"
npx vitest run test/keys test/service/keys
npm run bench:keys -- --seconds 0.2
# one emulator serves both, so one after the other, and with time for 10,000 conditional writes
SMDPF_TEST_S3_HAS=lock,lockLength,lockedPut,putChecksum,uploadChecksum \
  npx vitest run --no-file-parallelism --testTimeout=300000 --hookTimeout=300000 test/ledger test/vault

echo '-- smdpf demo with every key in a token'
export SOFTHSM2_CONF="$WORK/softhsm2.conf"
mkdir "$WORK/tokens"
printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$WORK/tokens" >"$SOFTHSM2_CONF"
(umask 077 && printf '73519\n' >"$WORK/pin")
softhsm2-util --init-token --free --label ci --so-pin 864201 --pin 73519
for curve in p256 brainpoolP256r1; do
  node cli/smdpf.mjs demo --curve "$curve" --devices 200 --out "$WORK/demo-$curve" \
    --keys "pkcs11:token=ci?module-path=$MODULE&pin-source=file:$WORK/pin" >"$WORK/demo.txt"
  tail -n 60 "$WORK/demo.txt"
  # binding, delivery, wrapping, intake
  [ "$(grep -c '^CKA_EXTRACTABLE  *false$' "$WORK/demo.txt")" = 4 ]
  grep -q '^the numbers add up  *yes$' "$WORK/demo.txt"
done

echo '-- smdpf serve --keys: a server with every key in the token from its first second'
node cli/smdpf.mjs serve --folder "$WORK/served" --port 0 --field-port 0 \
  --keys "pkcs11:token=ci?module-path=$MODULE&pin-source=file:$WORK/pin" >"$WORK/serve.txt" 2>&1 &
served=$!
for _ in $(seq 60); do
  grep -q 'stop with' "$WORK/serve.txt" && break
  kill -0 "$served" 2>/dev/null || break
  sleep 1
done
node cli/smdpf.mjs stop --folder "$WORK/served"
wait "$served"
[ "$(grep -c '"pkcs11:token=ci' "$WORK/served/config.json")" = 3 ]
[ -z "$(find "$WORK/served/keys" -name '*.key')" ]

echo '-- a key ceremony on the token, by two administrators under dual control, and its report'
folder="$WORK/served"
smdpf() { node cli/smdpf.mjs "$@" --folder "$folder"; }
as() { local person="$1"; shift; SMDPF_IDENTITY="$WORK/$person.pem" smdpf "$@"; }
for person in anna ben; do
  openssl ecparam -name prime256v1 -genkey -noout -out "$WORK/$person.pem"
  openssl ec -in "$WORK/$person.pem" -pubout -out "$WORK/$person.pub" 2>/dev/null
  smdpf administrator add "$person" --public-key "$WORK/$person.pub"
done
smdpf approvals policy --guard key.generate key.retire
hold() {
  as anna ceremony hold --role binding \
    --key "pkcs11:token=ci;object=ceremony?module-path=$MODULE&pin-source=file:$WORK/pin" \
    --witness 'Carla C.' --witness 'Dan D.' --organization Example --name SM-DPf --smdp-oid 2.999.10 \
    --out "$WORK/ceremony.csr" --report "$WORK/ceremony.json" "$@"
}
# one administrator alone makes no key, and learns which request waits
request="$( (hold --json || true) | sed -n 's/.*"subjectIdentifier": *"\([0-9a-f]*\)".*/\1/p')"
[ -n "$request" ] && [ ! -e "$WORK/ceremony.json" ]
as ben approvals approve "$request"
hold
grep -q '"CKA_EXTRACTABLE": false' "$WORK/ceremony.json"
node -e "
  const { key } = JSON.parse(require('fs').readFileSync('$WORK/ceremony.json', 'utf8'));
  require('fs').writeFileSync('$WORK/ceremony-keys.json', JSON.stringify({ keys: [key] }));"
node cli/smdpf.mjs ceremony verify "$WORK/ceremony.json" --keys "$WORK/ceremony-keys.json"
openssl req -in "$WORK/ceremony.csr" -verify -noout
sed 's/Carla C\./Karla C./' "$WORK/ceremony.json" >"$WORK/changed.json"
if node cli/smdpf.mjs ceremony verify "$WORK/changed.json" --keys "$WORK/ceremony-keys.json"; then exit 1; fi
smdpf audit show --event ceremony.held
