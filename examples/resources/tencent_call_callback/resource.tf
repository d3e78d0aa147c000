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

# Another application has its own key.
variable "other_secret_key" {
  type      = string
  sensitive = true
}

provider "tencent" {
  alias      = "other"
  region     = "frankfurt"
  sdk_app_id = 1400000002
  secret_key = var.other_secret_key
}

# Guarded: create fails if a configuration exists already, and destroy leaves it in place.
resource "tencent_call_callback" "guarded" {
  provider           = tencent.other
  url                = "https://hooks.example.com/tencent/other"
  callback_commands  = ["Call.CallbackAfterEndCall"]
  overwrite_existing = false
  deletion_policy    = "ABANDON"

  timeouts = {
    create = "30s"
    update = "30s"
  }
}
