terraform {
  # Actions came with Terraform 1.14.
  required_version = ">= 1.14"

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

# Send a test event after every change. If the server does not answer as it should, the apply fails.
resource "tencent_call_callback" "this" {
  url               = "https://hooks.example.com/tencent/call"
  callback_commands = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"]

  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.tencent_callback_probe.after_change]
    }
  }
}

action "tencent_callback_probe" "after_change" {
  config {
    callback_command = "Call.CallbackAfterEndCall"
    url              = tencent_call_callback.this.url
  }
}

# Test what is configured at Tencent: terraform apply -invoke=action.tencent_callback_probe.now
action "tencent_callback_probe" "now" {
  config {
    callback_command = "Call.CallbackAfterStartCall"
    on_failure       = "warn"
  }
}
