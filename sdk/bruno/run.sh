#!/usr/bin/env bash
# The collection from the order to the report, each step with its party's client certificate. Needs `bru` (@usebruno/cli),
# `node` and a sandbox: URL, its folder, cards with their batch, a template, and the smdpf command.
set -euo pipefail
[ $# = 5 ] || { echo "run.sh URL FOLDER PRODUCTION TEMPLATE SMDPF" >&2; exit 1; }
url=$1 tls=$(realpath "$2")/tls production=$(realpath "$3") template=$(realpath "$4") smdpf=$(realpath "$5")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
eids=$(basename -a -s .json "$production"/cards/*.json | paste -sd, -)
encoded() { base64 -w 0 "$1"; }
domain=${url#https://}

step() { # folder, role, identifier, more variables
  local folder=$1 name=$tls/client-$2-$3
  shift 3
  cat >"$work/certificates.json" <<END
{"enabled": true, "certs": [{"type": "cert", "domain": "${domain%%/*}",
 "certFilePath": "$name.cert.pem", "keyFilePath": "$name.key.pem"}]}
END
  bru run "$folder" --bail --env sandbox --env-var "url=$url" --env-var "run=$run" "$@" \
    --cacert "$tls/ca.cert.pem" --ignore-truststore --client-cert-config "$work/certificates.json" \
    --reporter-json "$work/result.json"
}
run=$(printf %04d $((RANDOM % 10000)))
step '1 order' operator 2.999.60 --env-var "template=$(encoded "$template")"
step '2 register' eum 2.999.40 --env-var "euiccDataBatch=$(encoded "$production/euicc-data.der")"
step '3 request' deviceMaker 2.999.50 --env-var "eids=$eids"
# the line has no network; it loads the batch of the last answer
node -e "
const [{ results }] = JSON.parse(require('node:fs').readFileSync('$work/result.json'));
const { bppBatch } = results.find(({ response }) => response.data.bppBatch).response.data;
require('node:fs').writeFileSync('$work/batch.der', Buffer.from(bppBatch, 'base64'));"
node "$smdpf" sim factory load --batch "$work/batch.der" --cards "$production/cards" --journal "$work/line.jsonl" \
  --report "$work/report.der"
step '4 report' deviceMaker 2.999.50 --env-var "profileLoadingReport=$(encoded "$work/report.der")"
step '5 status' operator 2.999.60
