#!/usr/bin/env bash
# rclone: copies a folder up in parts, syncs changes, checks both sides, and copies it back.
#
# Run it while `deno task dev` is running:
#
#     . examples/dev.sh
#     bash examples/rclone/sync.sh
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Defines a remote named "nats", as `rclone config` would.
export RCLONE_CONFIG_NATS_TYPE=s3
export RCLONE_CONFIG_NATS_PROVIDER=Other
export RCLONE_CONFIG_NATS_ENV_AUTH=true
export RCLONE_CONFIG_NATS_ENDPOINT="$AWS_ENDPOINT_URL"
export RCLONE_CONFIG_NATS_REGION="$AWS_REGION"
export RCLONE_CONFIG_NATS_LIST_VERSION=2
export RCLONE_CONFIG="$folder/rclone.conf"
touch "$RCLONE_CONFIG"

mkdir -p "$folder/up/deep/er" "$folder/up/größe"
head -c 12000000 /dev/urandom > "$folder/up/large.bin"
echo "one" > "$folder/up/deep/er/with space + plus.txt"
echo "two" > "$folder/up/größe/日本.txt"
echo "old" > "$folder/up/old.txt"

rclone mkdir nats:example-rclone
rclone copy --s3-upload-cutoff 5M --s3-chunk-size 5M "$folder/up" nats:example-rclone/copy
rclone check "$folder/up" nats:example-rclone/copy
rclone check --download "$folder/up" nats:example-rclone/copy
echo "copied $(rclone lsf -R --files-only nats:example-rclone/copy | wc -l) files"

# rclone sends only changed files. It compares times too, because it stores them in metadata.
rm "$folder/up/old.txt"
echo "three" > "$folder/up/new.txt"
rclone sync "$folder/up" nats:example-rclone/copy
rclone check "$folder/up" nats:example-rclone/copy
echo "synced: $(rclone lsf -R --files-only nats:example-rclone/copy | LC_ALL=C sort | tr '\n' ';')"

rclone copy nats:example-rclone/copy "$folder/down"
diff -r "$folder/up" "$folder/down"
echo "copied it back: the same files"

rclone delete nats:example-rclone
rclone rmdir nats:example-rclone
