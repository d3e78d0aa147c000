# Several resources can trigger the same action: caller is the one that does.
resource "tencent_call_callback" "fleet" {
  for_each = {
    "1400000001" = "https://eu.example.com/tencent/call"
    "1400000002" = "https://us.example.com/tencent/call"
  }

  sdk_app_id        = each.key
  url               = each.value
  callback_commands = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"]

  lifecycle {
    action_trigger {
      events     = [after_create, after_update]
      actions    = [action.tencent_callback_probe.fleet]
      on_failure = continue
    }
  }
}

action "tencent_callback_probe" "fleet" {
  config {
    callback_command = "Call.CallbackAfterEndCall"
    sdk_app_id       = caller.sdk_app_id
    url              = caller.url
  }
}
