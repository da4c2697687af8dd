#!/usr/bin/env bash
# The interface as others build against it: openapi.yaml by two validators, and a whole run against the embedded server
# with the clients that two generators make of it and with both SDKs, over mutual TLS; then calls made of the schemas, right
# and wrong ones. Tools are pinned in .ci/interface.
set -euo pipefail
cd "$(dirname "$0")/.."
export NO_COLOR=1
PATH="$PWD/node_modules/.bin:$PATH"
root=$PWD
openapi=$root/shared/ifpp-draft1/openapi.yaml
smdpf=$root/cli/smdpf.mjs
work=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT

echo '-- tools'
python3 -m venv "$work/python"
"$work/python/bin/pip" install -q --disable-pip-version-check -r .ci/interface/requirements.txt
mkdir "$work/typescript"
cp .ci/interface/package.json .ci/interface/openapitools.json .ci/interface/whole-run.ts "$work/typescript"
(cd "$work/typescript" && npm install --no-audit --no-fund --loglevel=error)

sdk=$work/sdk-typescript
cp -r sdk/typescript "$sdk"
(cd "$sdk" && npm install --no-audit --no-fund --loglevel=error)
cp -r sdk/python "$work/sdk-python"

echo '-- validators'
"$work/python/bin/openapi-spec-validator" "$openapi"
"$work/typescript/node_modules/.bin/redocly" lint --config .ci/interface/redocly.yaml --max-problems 20 "$openapi"

echo '-- generators'
(cd "$work" && PATH="$work/python/bin:$PATH" openapi-python-client generate --path "$openapi" \
  --output-path "$work/smdpf_client" --meta none --fail-on-warning)
operations=$(grep -c 'operationId: .*[.]' "$openapi")
made=$(find "$work/smdpf_client/api" -name '*.py' ! -name __init__.py | wc -l)
[ "$operations" = "$made" ] || { echo "openapi-python-client made $made of $operations operations"; exit 1; }
"$work/python/bin/python" -m compileall -q "$work/smdpf_client"
"$work/typescript/node_modules/.bin/openapi-typescript" "$openapi" -o "$work/typescript/openapi.ts"
(cd "$work/typescript" && tsc --noEmit --strict --target es2024 --lib es2024,dom --module nodenext \
  --allowImportingTsExtensions --skipLibCheck --typeRoots "$root/node_modules/@types" --types node whole-run.ts)

if command -v java >/dev/null; then
  for language in python java; do
    if ! (cd "$work/typescript" && npx openapi-generator-cli generate -i "$openapi" -g "$language" \
      -o "$work/generator-$language") >"$work/generator.log" 2>&1; then
      tail -n 20 "$work/generator.log"
      exit 1
    fi
  done
  "$work/python/bin/python" -m compileall -q "$work/generator-python/openapi_client"
  # parsed only: what it imports would have to come from Maven Central
  if command -v javac >/dev/null; then
    find "$work/generator-java/src/main" -name '*.java' >"$work/java-sources"
    grep -q '/Es2fApi.java$' "$work/java-sources"
    javac -proc:none -XDshould-stop.ifNoError=PARSE -d "$work/generator-classes" @"$work/java-sources"
  fi
  echo "openapi-generator: Python and Java"
else
  echo 'openapi-generator: skipped, there is no Java here'
fi

echo '-- SDKs'
export SMDPF_OPENAPI=$openapi
(cd "$sdk" && npm run -s build)
PATH="$work/python/bin:$PATH" sh "$work/sdk-python/generate.sh"
"$work/python/bin/pip" install -q --disable-pip-version-check "$work/sdk-python"

echo '-- the server'
folder=$work/op
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port)
field_port=$(free_port)
start_server() {
  : >"$work/server.log"
  node "$smdpf" serve --sandbox p256 --folder "$folder" --address smdpf.example.com \
    --port "$port" --field-port "$field_port" >"$work/server.log" 2>&1 &
  server=$!
  until grep -q 'stop with' "$work/server.log"; do
    kill -0 "$server" 2>/dev/null || { cat "$work/server.log"; exit 1; }
    sleep 0.2
  done
}
start_server
for party in operator:2.999.60 eum:2.999.40 deviceMaker:2.999.50; do
  node "$smdpf" party add "${party#*:}" --role "${party%%:*}" --issue --folder "$folder" >/dev/null
done
node "$smdpf" profile template --out "$work/template.der" >/dev/null

whole_run() { # name, then the command
  local name=$1
  shift
  node "$smdpf" sim eum personalise --eum "$folder/sandbox/p256" --count 2 --keys 1 --device-maker 2.999.50 \
    --out "$work/$name-production" >/dev/null
  mkdir "$work/$name-run"
  "$@" "https://127.0.0.1:$port" "$folder/tls" "ORD-$name" "$work/$name-production" "$work/template.der" \
    "$work/$name-run" "$smdpf"
}
PYTHONPATH=$work whole_run python "$work/python/bin/python" .ci/interface/whole_run.py
whole_run typescript node "$work/typescript/whole-run.ts"

echo '-- the examples of the SDKs'
example() { # name, then the command
  local name=$1
  shift
  node "$smdpf" sim eum personalise --eum "$folder/sandbox/p256" --count 2 --keys 1 --device-maker 2.999.50 \
    --out "$work/$name-production" >/dev/null
  "$@" "https://127.0.0.1:$port" "$folder/tls" "$work/$name-production" "$work/template.der" "$smdpf"
}
example sdk-ts node "$sdk/examples/whole-run.mjs"
example sdk-py "$work/python/bin/python" "$work/sdk-python/examples/whole_run.py"

echo '-- the request collection'
collection() { # URL, tls folder, production, template, smdpf, as the examples have it
  PATH="$work/typescript/node_modules/.bin:$PATH" bash sdk/bruno/run.sh "$1" "$(dirname "$2")" "$3" "$4" "$5" \
    >"$work/bruno.log" 2>&1 || { tail -n 60 "$work/bruno.log"; return 1; }
  grep -c '✓ res' "$work/bruno.log" | sed 's/$/ assertions hold/'
}
example bruno collection

echo '-- callbacks, as a receiver in Python takes them'
"$work/python/bin/python" .ci/interface/callback_receiver.py "https://127.0.0.1:$port" "$folder/tls" ORD-callbacks \
  "$work/template.der"

echo '-- calls made of the schemas, right and wrong ones'
kill "$server"
wait "$server" 2>/dev/null || true
for party in administrator:2.999.80 auditor:2.999.70; do
  node "$smdpf" party add "${party#*:}" --role "${party%%:*}" --issue --folder "$folder" >/dev/null
done
# rates have tests of their own; here they would be most of the answers
node -e "
const fs = require('node:fs');
const config = JSON.parse(fs.readFileSync('$folder/config.json', 'utf8'));
config.runtime.rateLimit = { perSecond: 5000, burst: 5000 };
const field = { newConnectionsPerSecond: 5000, callsPerSecondPerAddress: 5000, callsPerSecond: 5000 };
config.server.limits = { parties: { newConnectionsPerSecond: 5000 }, field };
fs.writeFileSync('$folder/config.json', JSON.stringify(config));"
start_server
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance
checks=$checks,response_schema_conformance,unsupported_method,allow_header_conformance,form
fuzz() { # URL, seconds, then which operations
  local url=$1 seconds=$2
  shift 2
  (cd "$work" && SMDPF_TLS="$folder/tls" SCHEMATHESIS_HOOKS=fuzz PYTHONPATH="$root/.ci/interface" \
    "$work/python/bin/schemathesis" run "$openapi" --url "$url" --tls-verify "$folder/tls/ca.cert.pem" --warnings off \
    --checks "$checks" --seed "${SMDPF_CI_SEED:-20261127}" \
    --continue-on-failure --output-truncate true --max-time "$seconds" "$@") | cut -c1-400
}
fuzz "https://127.0.0.1:$port" 75 --exclude-tag ES9+
fuzz "https://127.0.0.1:$field_port" 15 --include-tag ES9+
if grep -n '"event":"fault"' "$work/server.log" | head -n 5 | grep .; then exit 1; fi
