terraform {
  required_version = ">= 1.11"
  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

# Such as TF_VAR_callback_url, from the pipeline's secrets.
variable "callback_url" {
  type      = string
  ephemeral = true
}

resource "tencent_call_callback" "this" {
  url_wo            = var.callback_url
  url_wo_version    = 1 # another number sends the URL again
  callback_commands = ["Call.CallbackAfterEndCall"]
}
