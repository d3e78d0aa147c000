terraform {
  required_providers {
    tencent = {
      source  = "callkit/tencent"
      version = "~> 0.1"
    }
  }
}

import {
  to = tencent_call_callback.this
  id = "1400000001"
}

resource "tencent_call_callback" "this" {
  url               = "https://hooks.example.com/tencent/call"
  callback_commands = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"]
}
