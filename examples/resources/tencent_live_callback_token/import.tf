terraform {
  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

import {
  to = tencent_live_callback_token.this
  id = "1400000001"
}

variable "callback_token" {
  description = "The token that signs the events."
  type        = string
  sensitive   = true
}

resource "tencent_live_callback_token" "this" {
  token = var.callback_token
}
