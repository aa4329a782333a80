# The address and credentials of the gateway that `deno task dev` starts; every example reads them. Load this file with:
#     . examples/dev.sh
export AWS_ENDPOINT_URL=http://127.0.0.1:5222
export AWS_ACCESS_KEY_ID=dev
export AWS_SECRET_ACCESS_KEY=dev-secret-key
export AWS_REGION=us-east-1
