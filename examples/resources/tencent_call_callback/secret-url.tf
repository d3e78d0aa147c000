terraform {
  required_version = ">= 1.11"
  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

# Set TF_VAR_callback_url, from the secrets of your pipeline.
variable "callback_url" {
  description = "The callback URL, with its secret."
  type        = string
  ephemeral   = true
}

resource "tencent_call_callback" "this" {
  url_wo            = var.callback_url
  url_wo_version    = 1 # change it to send the URL again
  callback_commands = ["Call.CallbackAfterEndCall"]
}
