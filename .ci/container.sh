#!/usr/bin/env bash
# Builds the container of a release and runs its server, with buildah, which needs no daemon. No registry of images is
# asked: in the place of the base that Containerfile names stands one of Debian's packages with the same libraries.
#   .ci/container.sh DIST VERSION
set -euo pipefail
dist=$1
version=$2
export BUILDAH_ISOLATION=chroot DEBIAN_FRONTEND=noninteractive
if [ "$(id -u)" != 0 ]; then
  echo 'skipped: a base image with owners of its own needs root'
  exit 0
fi
command -v buildah >/dev/null ||
  flock /tmp/smdpf-ci-apt.lock sh -c 'apt-get update -q && apt-get install -q -y --no-install-recommends buildah </dev/null' >/dev/null ||
  { echo 'skipped: no buildah here'; exit 0; }
if ! probe=$(buildah from scratch 2>/dev/null); then
  echo 'skipped: buildah does not run here'
  exit 0
fi
buildah rm "$probe" >/dev/null

work=$(mktemp -d)
names=()
server=
finish() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  for name in "${names[@]}"; do buildah rm "$name" >/dev/null 2>&1 || true; done
  buildah rmi "localhost/smdpf-ci-$$" "localhost/smdpf-ci-base-$$" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

mkdir "$work/debs" "$work/base"
chmod 777 "$work/debs"
(cd "$work/debs" && apt-get download -q libc6 libstdc++6 libgcc-s1 >/dev/null 2>&1)
for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$work/base"; done
rm -rf "$work/base/usr/share/doc"
base=$(buildah from scratch)
names+=("$base")
buildah copy -q "$base" "$work/base" / >/dev/null
root=$(buildah mount "$base")
install -d -o 65532 -g 65532 "$root/home/nonroot"
install -d -m 1777 "$root/tmp"
buildah umount "$base" >/dev/null
buildah commit -q "$base" "localhost/smdpf-ci-base-$$" >/dev/null

buildah bud -q --build-arg "BASE=localhost/smdpf-ci-base-$$" --build-arg "SMDPF=smdpf-$version-linux-x64" \
  --tag "localhost/smdpf-ci-$$" "$dist" >/dev/null
container=$(buildah from "localhost/smdpf-ci-$$")
names+=("$container")
[ "$(buildah run "$container" -- /usr/local/bin/smdpf --version)" = "$version" ]
read -r port field < <(python3 -c '
import socket
both = [socket.socket(), socket.socket()]
for one in both: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in both))')
# its own command line, on ports that nobody has
buildah run "$container" -- /usr/local/bin/smdpf serve --folder /home/nonroot/smdpf-data --host 0.0.0.0 \
  --port "$port" --field-port "$field" >"$work/serve.log" 2>&1 </dev/null &
server=$!
for _ in $(seq 60); do
  if curl --silent --insecure --fail "https://127.0.0.1:$field/health" >/dev/null; then
    echo 'built, and its server answers'
    exit 0
  fi
  kill -0 "$server" 2>/dev/null || break
  sleep 0.5
done
cat "$work/serve.log"
exit 1
