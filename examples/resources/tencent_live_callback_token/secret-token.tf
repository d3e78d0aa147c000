terraform {
  required_version = ">= 1.11"
  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

# Set TF_VAR_callback_token, from the secrets of your pipeline.
variable "callback_token" {
  description = "The token that signs the events."
  type        = string
  ephemeral   = true
}

resource "tencent_live_callback_token" "this" {
  token_wo         = var.callback_token
  token_wo_version = 1 # change it to send the token again
}
