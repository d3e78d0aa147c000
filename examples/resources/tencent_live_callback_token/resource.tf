terraform {
  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

# Credentials come from the environment: TENCENT_SDK_APP_ID and TENCENT_SECRET_KEY.
provider "tencent" {
  region = "singapore"
}

# The receiver has it, too. Such as TF_VAR_callback_token, from the pipeline's secrets.
variable "callback_token" {
  type      = string
  sensitive = true
}

resource "tencent_live_callback_token" "this" {
  token = var.callback_token
}
