terraform {
  # backend.tf locks the state with a file, probe.tf needs 1.14.
  required_version = ">= 1.11"

  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

# The application and its credentials come from the environment: the plan job has a UserSig, the apply job the SecretKey.
provider "tencent" {
  region = "singapore"
}
