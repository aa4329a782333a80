#!/usr/bin/env bash
# restic: backs up a folder, changes it, backs it up again, restores the first snapshot, and checks every byte.
#
# Run it while `deno task dev` is running:
#
#     . examples/dev.sh
#     bash examples/restic/backup.sh
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# restic creates the bucket. The password encrypts the backup: without it no one can restore.
export RESTIC_REPOSITORY="s3:$AWS_ENDPOINT_URL/example-restic/laptop"
export RESTIC_PASSWORD="a long password"
export RESTIC_CACHE_DIR="$folder/cache"
restic() { command restic --quiet -o s3.bucket-lookup=path "$@"; }

mkdir -p "$folder/home/pictures"
head -c 20000000 /dev/urandom > "$folder/home/pictures/holiday.raw"
echo "first" > "$folder/home/notes.txt"
cp -r "$folder/home" "$folder/first"

cd "$folder/home"
restic init
restic backup --tag first .
echo "second" > notes.txt
restic backup --tag second .

restic restore latest --tag first --target "$folder/restored"
diff -r "$folder/first" "$folder/restored"
echo "restored the first snapshot: the same files"

restic forget --keep-last 1 --group-by paths --prune
restic check --read-data
echo "checked the repository with $(restic snapshots --json | grep -o '"short_id"' | wc -l) snapshot left"
