"""pyarrow: writes a Parquet file to a bucket, and reads one column of a few rows with byte ranges.

Run it while `deno task dev` is running:

    . examples/dev.sh
    pip install -r examples/pyarrow/requirements.txt
    python3 examples/pyarrow/ranges.py
"""

import os

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import fs

BUCKET = "example-pyarrow"
PATH = f"{BUCKET}/measurements/2025.parquet"
ROWS = 200_000

# The credentials come from the environment.
s3 = fs.S3FileSystem(
    endpoint_override=os.environ["AWS_ENDPOINT_URL"],
    region=os.environ["AWS_REGION"],
    allow_bucket_creation=True,
    allow_bucket_deletion=True,
)
s3.create_dir(BUCKET)

# Each row has sixteen bytes of noise: columns that you do not read should cost nothing.
noise = os.urandom(16 * ROWS)
table = pa.table(
    {
        "sensor": pa.array(range(ROWS), pa.int32()),
        "celsius": pa.array([20 + i % 10 for i in range(ROWS)], pa.float32()),
        "noise": pa.array([noise[16 * i : 16 * i + 16] for i in range(ROWS)], pa.binary(16)),
    }
)
pq.write_table(table, PATH, filesystem=s3, row_group_size=ROWS // 10)
size = s3.get_file_info(PATH).size
print("wrote", size, "bytes")

# The footer lists where the columns of each row group are, so only those ranges are read.
with s3.open_input_file(PATH) as file:
    parquet = pq.ParquetFile(file)
    celsius = parquet.read_row_group(3, columns=["celsius"])["celsius"]
assert celsius.equals(table["celsius"].slice(3 * ROWS // 10, ROWS // 10))
print("read", len(celsius), "values of one column in one of", parquet.num_row_groups, "row groups")

# A filter skips the row groups that cannot match.
found = ds.dataset(f"{BUCKET}/measurements", filesystem=s3, format="parquet").to_table(
    columns=["sensor"], filter=ds.field("sensor") >= ROWS - 5
)
print("found sensors", found["sensor"].to_pylist())

s3.delete_dir(BUCKET)
