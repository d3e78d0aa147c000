# The state that people and both jobs share. Set your own bucket and region.
terraform {
  backend "s3" {
    bucket = "acme-terraform-state" # with versioning, which is the way back to an earlier state
    key    = "tencent/callback.tfstate"
    region = "eu-central-1"

    # The state holds callback URLs.
    encrypt = true

    # One plan or apply at a time. Needs no DynamoDB table, but permission to write and delete KEY.tflock.
    use_lockfile = true
  }
}
