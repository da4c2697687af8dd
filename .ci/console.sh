#!/usr/bin/env bash
# The console in a real browser: Debian's Chromium goes through every page on what the demo made, makes one change, and looks
# for what people with a screen reader would miss (axe). SCREENSHOTS names a folder that gets pictures, such as docs/images.
set -euo pipefail
cd "$(dirname "$0")/.."
export NO_COLOR=1
PATH="$PWD/node_modules/.bin:$PATH"
work=$(mktemp -d)
demo=
finish() {
  if [ -n "$demo" ]; then kill "$demo" 2>/dev/null || true; wait "$demo" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
command -v chromium >/dev/null ||
  { as_root apt-get update -q && as_root apt-get install -q -y --no-install-recommends chromium </dev/null; } >"$work/apt.log" 2>&1 ||
  { tail "$work/apt.log"; exit 1; }

echo '-- tools'
cp .ci/console/package.json .ci/console/*.ts "$work"
(cd "$work" && npm install --no-audit --no-fund --loglevel=error)

echo '-- pages'
npm run --silent console:build

echo '-- the demo, with its console left open'
node cli/smdpf.mjs demo --console 0 --devices 8 --out "$work/demo" >"$work/demo.log" 2>&1 &
demo=$!
until grep -q '#login=' "$work/demo.log"; do
  kill -0 "$demo" 2>/dev/null || { cat "$work/demo.log"; exit 1; }
  sleep 0.5
done
link=$(grep -o 'https://[^ ]*#login=[^ ]*' "$work/demo.log")

# names as an attacker would choose them, in what the pages show
node cli/smdpf.mjs party add 2.999.77 --role deviceMaker --issue --folder "$work/demo/smdpf" \
  --name '<img src=x onerror="window.broken=1"><script>window.broken=1</script>' >/dev/null

# two administrators with keys of their own, one of whom logs in by certificate; somebody who looks; a newer list of the CI
folder="$work/demo/smdpf"
for name in anna ben; do
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$name.pem" 2>/dev/null
  openssl pkey -in "$work/$name.pem" -pubout -out "$work/$name.pub"
  node cli/smdpf.mjs administrator add "$name" --public-key "$work/$name.pub" --folder "$folder" >/dev/null
done
node cli/smdpf.mjs approvals policy --guard key.retire --folder "$folder" >/dev/null
node cli/smdpf.mjs party add 2.999.80 --role administrator --issue --name Ben --folder "$folder" >/dev/null
node cli/smdpf.mjs party add 2.999.90 --role viewer --issue --name Vera --folder "$folder" >/dev/null
node cli/smdpf.mjs sim ci crl --ci "$folder/sandbox/p256" --number 2 --out "$work/newer.crl" >/dev/null

echo '-- the browser'
SMDPF=$PWD/cli/smdpf.mjs QUESTIONS=$PWD/docs/operators.md node "$work/browse.ts" "$link" "$work/demo"
