terraform {
  required_version = ">= 1.7"

  required_providers {
    tencent = {
      source = "callkit/tencent"
    }
  }
}

# Application and credentials come from the environment: the plan job has a UserSig, the apply job the SecretKey.
provider "tencent" {
  region = "singapore"
}
