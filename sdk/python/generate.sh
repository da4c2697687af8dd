#!/bin/sh
# Makes src/smdpf_sdk/client from openapi.yaml. Needs openapi-python-client, and ruff beside it.
set -eu
cd "$(dirname "$0")"
openapi="${SMDPF_OPENAPI:-../../shared/ifpp-draft1/openapi.yaml}"
openapi-python-client generate --path "$openapi" --output-path src/smdpf_sdk/client --meta none --overwrite --fail-on-warning
