terraform {
  # Ephemeral variables came with Terraform 1.10 and OpenTofu 1.11.
  required_version = ">= 1.10"

  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

# Set it with TF_VAR_secret_key, for each plan and each apply.
variable "secret_key" {
  description = "The application's SecretKey."
  type        = string
  ephemeral   = true
}

provider "tencent" {
  sdk_app_id = 1400000001
  secret_key = var.secret_key
  region     = "singapore"
}
