#!/bin/sh
# Starts LocalStack; says what is missing before Docker does in words of its own.
set -eu
cd "$(dirname "$0")"
if ! command -v docker >/dev/null; then
  echo "LocalStack runs in Docker, which is not here. Without it: sh .ci/cloud.sh, with MiniStack." >&2
  exit 1
fi
if ! docker compose version >/dev/null 2>&1; then
  echo "Docker has no compose plugin: install docker-compose-plugin (docs.docker.com/compose/install)." >&2
  exit 1
fi
if [ -z "${LOCALSTACK_AUTH_TOKEN:-}" ]; then
  echo "LocalStack's images need LOCALSTACK_AUTH_TOKEN in the environment (app.localstack.cloud; free for non-commercial use)." >&2
  exit 1
fi
exec docker compose --file compose.yaml up --detach --wait
