# Send a test event after every change. If the server does not answer as it should, the apply fails.
resource "tencent_call_callback" "this" {
  url               = "https://hooks.example.com/tencent/call"
  callback_commands = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"]

  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.tencent_callback_probe.receiver]
    }
  }
}

# Without a url, the event goes to the URL that the application has at Tencent. To send one at any time:
# terraform apply -invoke=action.tencent_callback_probe.receiver
action "tencent_callback_probe" "receiver" {
  config {
    callback_command = "Call.CallbackAfterEndCall"
  }
}
