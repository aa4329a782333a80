# Terraform 1.10 or newer: state in a bucket, locked by a conditional write, without DynamoDB.
#
# Run it while `deno task dev` is running, with a bucket "example-terraform" (state_lock.py creates it):
#
#     . examples/dev.sh
#     python3 examples/terraform/state_lock.py
#     terraform -chdir=examples/terraform init
#     terraform -chdir=examples/terraform apply -auto-approve
#     terraform -chdir=examples/terraform output greeting
terraform {
  required_version = ">= 1.10"

  # The endpoint, the credentials and the region come from the environment.
  backend "s3" {
    bucket       = "example-terraform"
    key          = "network/terraform.tfstate"
    use_lockfile = true

    use_path_style              = true
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
  }
}

resource "terraform_data" "greeting" {
  input = "hello"
}

output "greeting" {
  value = terraform_data.greeting.output
}
