#!/usr/bin/env bash
# JupyterLab on the course, on the port that is forwarded. It prints its address, with a token that lets you in.
set -euo pipefail
cd "$(dirname "$0")/../course"
exec jupyter lab --no-browser --ip=127.0.0.1 --port="${PORT:-8888}" \
    --ServerApp.allow_origin_pat='https://[A-Za-z0-9-]+\.app\.github\.dev' "$@"
