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

resource "tencent_call_callback" "this" {
  url               = "https://hooks.example.com/tencent/call"
  callback_commands = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"]
}
