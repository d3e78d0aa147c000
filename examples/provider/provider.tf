terraform {
  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

variable "secret_key" {
  description = "The application's SecretKey. Set it with TF_VAR_secret_key, or leave it out here and set TENCENT_SECRET_KEY."
  type        = string
  sensitive   = true
}

provider "tencent" {
  sdk_app_id = 1400000001
  secret_key = var.secret_key
  region     = "singapore"
}
