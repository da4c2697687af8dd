#!/usr/bin/env bash
# A station with PC/SC readers, against pcscd and the virtual reader of Debian's vsmartcard, with soft eUICCs in its slots.
# `.ci/pcsc.sh PROGRAM` tries a release's executable, which finds the package `smartcard` in the folder that it lies in.
# Says why, and ends well, where it cannot run here.
set -euo pipefail
program=${1:+$(readlink -f "$1")}
cd "$(dirname "$0")/.."
export NO_COLOR=1
PATH="$PWD/node_modules/.bin:$PATH"
work=$(mktemp -d)
service=
finish() {
  if [ -n "$service" ]; then
    "${as_root[@]}" kill "$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT
skip() {
  echo "skipped: $1"
  exit 0
}
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)

readonly driver=/usr/lib/pcsc/drivers/serial/libifdvpcd.so
packages=(pcscd vsmartcard-vpcd libpcsclite-dev g++ make)
{ [ -e "$driver" ] && command -v pcscd g++ make && [ -d /usr/include/PCSC ]; } >/dev/null ||
  { "${as_root[@]}" apt-get update -q && "${as_root[@]}" apt-get install -q -y --no-install-recommends "${packages[@]}" </dev/null; } >"$work/apt.log" 2>&1 ||
  skip "these packages cannot be installed here: ${packages[*]}"
# the socket of the service and the ports of the virtual reader are of the whole machine
for port in 35963 35964; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then skip "somebody else has the virtual reader (port $port)"; fi
done

# headers of the Node that compiles, where they lie beside it
headers=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
[ -e "$headers/include/node/node_api.h" ] || headers=/usr
if [ -e "$headers/include/node/node_api.h" ]; then export npm_config_nodedir=$headers; fi
echo '{}' >"$work/package.json"
(cd "$work" && npm install --no-audit --no-fund --loglevel=error smartcard@3.7.0) >"$work/npm.log" 2>&1 ||
  { tail -n 3 "$work/npm.log"; skip 'the package smartcard does not compile here'; }

"${as_root[@]}" pcscd --foreground >"$work/pcscd.log" 2>&1 &
service=$!
for _ in $(seq 50); do
  [ ! -S /run/pcscd/pcscd.comm ] || break
  kill -0 "$service" 2>/dev/null || { cat "$work/pcscd.log"; service=; skip 'pcscd does not start here'; }
  sleep 0.2
done

echo '-- from the sources'
NODE_PATH="$work/node_modules" SMDPF_TEST_PCSC="node $PWD/cli/smdpf.mjs" npx vitest run test/station/pcsc.test.ts
if [ -n "$program" ]; then
  echo '-- the executable, with the package beside it'
  cp "$program" "$work/smdpf"
  SMDPF_TEST_PCSC="$work/smdpf" npx vitest run test/station/pcsc.test.ts
fi
