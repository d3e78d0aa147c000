terraform {
  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

# Your server needs it too. Set TF_VAR_callback_token, from the secrets of your pipeline.
variable "callback_token" {
  description = "The token that signs the events."
  type        = string
  sensitive   = true
}

resource "tencent_live_callback_token" "this" {
  token = var.callback_token
}
