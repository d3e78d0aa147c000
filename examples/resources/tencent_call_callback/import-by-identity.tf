terraform {
  # Import by identity came with Terraform 1.12 and OpenTofu 1.12.
  required_version = ">= 1.12"

  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

import {
  to = tencent_call_callback.this

  identity = {
    sdk_app_id = 1400000001
  }
}

resource "tencent_call_callback" "this" {
  url               = "https://hooks.example.com/tencent/call"
  callback_commands = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"]
}
