terraform {
  # Functions came with Terraform 1.8 and OpenTofu 1.7.
  required_version = ">= 1.8"

  required_providers {
    tencent = {
      source = "callkit/tencent"
    }
  }
}

# All events of calls.
resource "tencent_call_callback" "this" {
  url               = "https://hooks.example.com/tencent/call"
  callback_commands = provider::tencent::callback_commands("call")
}
