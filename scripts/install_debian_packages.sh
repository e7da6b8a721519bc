#!/usr/bin/env bash
# Install those of the named Debian packages that are missing. As root; without a question.
set -euo pipefail

missing=()
for package in "$@"; do
    [[ "$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0
if [[ $EUID -ne 0 ]]; then
    echo "Debian packages are missing; install them as root: apt-get install ${missing[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --quiet --yes --no-install-recommends "${missing[@]}" </dev/null
